SELECT id, bits, key FROM series WHERE run = ?1
