UPDATE runs SET epochs = ?2, steps = ?3, train_loss = ?4, train_accuracy = ?5, val_loss = ?6, val_accuracy = ?7,
    test_loss = ?8, test_accuracy = ?9, best_val_loss = ?10, best_val_accuracy = ?11, best_epoch = ?12, seconds = ?13,
    samples_per_second = ?14, checkpoint = ?15, metrics = ?16
WHERE number = ?1
