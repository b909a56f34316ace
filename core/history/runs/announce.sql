UPDATE runs SET epochs_planned = CASE WHEN ?2 > 0 THEN ?2 ELSE epochs_planned END,
    steps_per_epoch = CASE WHEN ?3 > 0 THEN ?3 ELSE steps_per_epoch END,
    device = CASE WHEN ?4 <> '' THEN ?4 ELSE device END,
    device_name = CASE WHEN ?5 <> '' THEN ?5 ELSE device_name END
WHERE number = ?1
