SELECT min(first_step), max(last_step), sum(points) FROM blocks WHERE series = ?1 AND last_step >= ?2 AND first_step <= ?3
