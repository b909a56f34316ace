-- The first schema. What a list of runs shows stands in one row of `runs`; points stand in `blocks`.

CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, -- shown as #27; never used again after a delete
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    recipe_name TEXT NOT NULL DEFAULT '',
    device TEXT NOT NULL DEFAULT '',
    device_name TEXT NOT NULL DEFAULT '',
    device_uuid TEXT NOT NULL DEFAULT '',
    dataset TEXT NOT NULL DEFAULT '',
    dataset_title TEXT NOT NULL DEFAULT '',
    dataset_location TEXT NOT NULL DEFAULT '',
    fingerprint TEXT NOT NULL DEFAULT '',
    created INTEGER NOT NULL DEFAULT 0,
    started INTEGER NOT NULL DEFAULT 0,
    ended INTEGER NOT NULL DEFAULT 0,
    epochs_planned INTEGER NOT NULL DEFAULT 0,
    steps_per_epoch INTEGER NOT NULL DEFAULT 0,
    parameters INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    live_status TEXT NOT NULL DEFAULT '',  -- what a live trainer said last: running, paused
    ended_status TEXT NOT NULL DEFAULT '', -- finished, stopped, failed; '' while it may still go on
    epochs INTEGER NOT NULL DEFAULT 0,
    steps INTEGER NOT NULL DEFAULT 0,
    train_loss REAL, train_accuracy REAL,  -- NULL: not known
    val_loss REAL, val_accuracy REAL,
    test_loss REAL, test_accuracy REAL,
    best_val_loss REAL, best_val_accuracy REAL,
    best_epoch INTEGER NOT NULL DEFAULT -1,
    seconds REAL NOT NULL DEFAULT 0,
    samples_per_second REAL NOT NULL DEFAULT 0,
    checkpoint TEXT NOT NULL DEFAULT '',   -- below the run's folder
    message TEXT NOT NULL DEFAULT '',
    remedy TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    tags TEXT NOT NULL DEFAULT '[]'
);

-- Long texts, apart from `runs` so that listing a thousand runs reads none of them.
CREATE TABLE documents (
    run INTEGER PRIMARY KEY REFERENCES runs(number) ON DELETE CASCADE,
    recipe TEXT NOT NULL,
    environment TEXT NOT NULL,
    dataset TEXT NOT NULL
);

CREATE TABLE attempts (
    run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0,
    start_step INTEGER NOT NULL,
    end_step INTEGER NOT NULL DEFAULT -1, -- -1: open, or cut off
    host TEXT NOT NULL DEFAULT '',
    pid INTEGER NOT NULL DEFAULT 0,
    choices TEXT NOT NULL DEFAULT 'null',
    PRIMARY KEY (run, attempt)
) WITHOUT ROWID;

CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    key TEXT NOT NULL,
    bits INTEGER NOT NULL, -- of a value: 32 or 64
    UNIQUE (run, key, attempt)
);

-- Consecutive points of a series. Full blocks (4,096 points) carry levels: level1 sums up 16 points an entry, level2 256;
-- the row's own columns sum up the whole block. The blobs come last, so that reading a sum touches none of them.
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY,
    series INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE,
    first_step INTEGER NOT NULL,
    last_step INTEGER NOT NULL,
    points INTEGER NOT NULL,
    stride INTEGER NOT NULL, -- step between points; 0: 32-bit offsets follow the values; -1: 64-bit offsets
    not_finite INTEGER NOT NULL,
    minimum REAL, maximum REAL, -- of the finite values; NULL if there are none
    last REAL,                  -- NULL: NaN
    total REAL,                 -- sum of the finite values
    level2 BLOB NOT NULL,
    level1 BLOB NOT NULL,
    data BLOB NOT NULL
);
CREATE UNIQUE INDEX blocks_of_series ON blocks(series, first_step);

CREATE TABLE checkpoints (
    run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE,
    path TEXT NOT NULL, -- below the run's folder
    step INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    reason TEXT NOT NULL,
    time INTEGER NOT NULL,
    best INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (run, path)
) WITHOUT ROWID;

CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    time INTEGER NOT NULL,
    level TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX log_of_run ON log(run);

CREATE TABLE amendments (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    step INTEGER NOT NULL,
    path TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL
);
CREATE INDEX amendments_of_run ON amendments(run);

CREATE TABLE datasets (
    id TEXT PRIMARY KEY,
    info TEXT NOT NULL,
    options TEXT NOT NULL,
    added INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE timings (
    key TEXT PRIMARY KEY,
    samples_per_second REAL NOT NULL,
    measured INTEGER NOT NULL
) WITHOUT ROWID;
