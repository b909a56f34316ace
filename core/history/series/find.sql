SELECT id, bits FROM series WHERE run = ?1 AND key = ?2 AND attempt = ?3
