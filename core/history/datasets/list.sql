SELECT id, info, options FROM datasets ORDER BY added, id
