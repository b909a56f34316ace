SELECT DISTINCT key FROM series WHERE run = (SELECT number FROM runs WHERE id = ?1) ORDER BY key
