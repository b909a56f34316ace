INSERT INTO series (run, attempt, key, bits) VALUES (?1, ?3, ?2, ?4)
