INSERT INTO datasets (id, info, options, added) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (id) DO UPDATE SET info = excluded.info, options = excluded.options
