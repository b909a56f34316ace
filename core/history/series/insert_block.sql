INSERT OR REPLACE INTO blocks (series, first_step, last_step, points, stride, not_finite, minimum, maximum, last, total, level2, level1, data)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
