SELECT path, step, epoch, reason, time, best, bytes
FROM checkpoints WHERE run = (SELECT number FROM runs WHERE id = ?1) ORDER BY step DESC, best
