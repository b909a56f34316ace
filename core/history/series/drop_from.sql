DELETE FROM blocks WHERE series = ?1 AND first_step >= ?2
