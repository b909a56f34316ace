INSERT INTO log (run, attempt, time, level, text) VALUES (?1, ?2, ?3, ?4, ?5)
