-- What a run is to do, and the metrics of tasks that have others than accuracy. Runs from before this were classifications.

ALTER TABLE runs ADD COLUMN task TEXT NOT NULL DEFAULT 'classification';
ALTER TABLE runs ADD COLUMN metrics TEXT NOT NULL DEFAULT '{}'; -- JSON: "val_mae": 0.12
