INSERT OR REPLACE INTO checkpoints (run, path, step, epoch, reason, time, best, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
