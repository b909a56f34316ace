INSERT INTO runs (number, id, name, recipe_name, device, device_name, device_uuid, dataset, dataset_title, dataset_location,
                  fingerprint, created, started, ended, epochs_planned, steps_per_epoch, parameters, ended_status,
                  message, remedy, note, tags, attempts, error_code, detail, task)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)
