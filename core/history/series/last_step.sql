SELECT max(last_step) FROM blocks WHERE series = ?1
