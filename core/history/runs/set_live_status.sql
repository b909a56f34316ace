UPDATE runs SET live_status = ?2 WHERE number = ?1
