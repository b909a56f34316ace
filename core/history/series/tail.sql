SELECT first_step, last_step, points, stride, not_finite, minimum, maximum, last, total, level2, level1, data
FROM blocks WHERE series = ?1 AND first_step > coalesce((SELECT max(first_step) FROM blocks WHERE series = ?1 AND points >= ?2), -9223372036854775807) ORDER BY first_step
