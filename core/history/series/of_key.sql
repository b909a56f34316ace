SELECT id, bits FROM series WHERE run = (SELECT number FROM runs WHERE id = ?1) AND key = ?2 ORDER BY attempt
