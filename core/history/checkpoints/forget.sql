DELETE FROM checkpoints WHERE run = ?1 AND path = ?2
