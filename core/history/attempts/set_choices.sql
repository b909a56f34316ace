UPDATE attempts SET choices = ?3 WHERE run = ?1 AND attempt = ?2
