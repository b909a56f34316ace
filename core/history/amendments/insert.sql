INSERT INTO amendments (run, attempt, step, path, before, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
