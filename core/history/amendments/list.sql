SELECT step, path, before, after FROM amendments WHERE run = (SELECT number FROM runs WHERE id = ?1) ORDER BY id
