INSERT INTO documents (run, recipe, environment, dataset) VALUES (?1, ?2, ?3, ?4)
