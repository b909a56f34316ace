SELECT first_step, last_step, points, stride, not_finite, minimum, maximum, last, total, level2, level1, data
FROM blocks WHERE series = ?1 AND last_step >= ?2 AND first_step <= ?3 ORDER BY first_step
