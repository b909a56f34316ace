UPDATE attempts SET end_step = ?3, ended = CASE WHEN ended = 0 THEN ?4 ELSE ended END WHERE run = ?1 AND attempt < ?2 AND (end_step = -1 OR end_step > ?3)
