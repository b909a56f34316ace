SELECT number, attempts, steps_per_epoch, epochs, steps, train_loss, train_accuracy, val_loss, val_accuracy,
       test_loss, test_accuracy, best_val_loss, best_val_accuracy, best_epoch, seconds, samples_per_second, checkpoint, metrics
FROM runs WHERE id = ?1
