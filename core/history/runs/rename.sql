UPDATE runs SET name = ?2 WHERE id = ?1
