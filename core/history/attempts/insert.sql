INSERT INTO attempts (run, attempt, started, start_step, host, pid, choices) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
