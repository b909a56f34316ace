SELECT time, level, text, attempt FROM (
    SELECT id, time, level, text, attempt FROM log WHERE run = (SELECT number FROM runs WHERE id = ?1) ORDER BY id DESC LIMIT ?2)
ORDER BY id
