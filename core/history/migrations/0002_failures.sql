-- Why a run failed, beside the sentence: what kind of error it was, and the detail for whoever looks closer.

ALTER TABLE runs ADD COLUMN error_code TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN detail TEXT NOT NULL DEFAULT '';
