UPDATE runs SET epochs_planned = ?2 WHERE number = ?1
