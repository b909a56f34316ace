UPDATE attempts SET ended = ?3, end_step = ?4 WHERE run = ?1 AND attempt = ?2
