SELECT id, info, options FROM datasets WHERE id = ?1
