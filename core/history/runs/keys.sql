SELECT number, id, name FROM runs ORDER BY number DESC
