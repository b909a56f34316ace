-- Going back after a NaN, killed, and going back again says the same once more: one change is one row.
INSERT INTO amendments (run, attempt, step, path, before, after)
SELECT ?1, ?2, ?3, ?4, ?5, ?6
WHERE NOT EXISTS (SELECT 1 FROM amendments WHERE run = ?1 AND step = ?3 AND path = ?4 AND before = ?5 AND after = ?6)
