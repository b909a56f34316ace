DELETE FROM amendments WHERE run = ?1 AND step > ?2
