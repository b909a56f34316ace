SELECT samples_per_second FROM timings WHERE key = ?1
