UPDATE runs SET ended_status = ?2, ended = ?3, message = ?4, remedy = ?5, live_status = '', error_code = ?6, detail = ?7
WHERE number = ?1
