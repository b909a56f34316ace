SELECT number, id, name, recipe_name, device, device_name, device_uuid, dataset, dataset_title, dataset_location, fingerprint,
       created, started, ended, epochs_planned, steps_per_epoch, parameters, attempts, live_status, ended_status,
       epochs, steps, train_loss, train_accuracy, val_loss, val_accuracy, test_loss, test_accuracy,
       best_val_loss, best_val_accuracy, best_epoch, seconds, samples_per_second, checkpoint, message, remedy, note, tags,
       error_code, detail, task, metrics
FROM runs ORDER BY number DESC
