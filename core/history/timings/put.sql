INSERT INTO timings (key, samples_per_second, measured) VALUES (?1, ?2, ?3)
ON CONFLICT (key) DO UPDATE SET samples_per_second = excluded.samples_per_second, measured = excluded.measured
