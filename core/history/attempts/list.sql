SELECT attempt, started, ended, start_step, end_step, host, pid, choices
FROM attempts WHERE run = (SELECT number FROM runs WHERE id = ?1) ORDER BY attempt
