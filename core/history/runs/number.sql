SELECT number FROM runs WHERE id = ?1
