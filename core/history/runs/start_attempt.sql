UPDATE runs SET attempts = ?2, device = ?3, device_name = ?4, device_uuid = ?5, steps_per_epoch = ?6,
    started = CASE WHEN started = 0 THEN ?7 ELSE started END, ended = 0, live_status = 'running', ended_status = '', message = '', remedy = '',
    error_code = '', detail = ''
WHERE number = ?1
