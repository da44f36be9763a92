-- Runs that wait for a server to run them, and who started a run by what.

-- What started the run: `cli`, `api`, `schedule:nightly`, `trigger:on-push`, `monitor:drift`, `backfill:ID`.
ALTER TABLE runs ADD COLUMN origin TEXT NOT NULL DEFAULT 'cli';
-- Who started it, in whose name it acts.
ALTER TABLE runs ADD COLUMN actor TEXT NOT NULL DEFAULT 'cli';

CREATE INDEX runs_by_origin ON runs (origin, created, id);
CREATE INDEX runs_by_pipeline_status ON runs (pipeline, status, created, id);
CREATE INDEX runs_by_parent ON runs (parent, created, id) WHERE parent IS NOT NULL;

-- One row for each run that was submitted; it stays as long as the run, so that the same submission is known again.
CREATE TABLE run_queue (
    run        TEXT NOT NULL PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    pipeline   TEXT NOT NULL,
    -- What was asked for, as a digest: the same id with another one is a mistake. Null where nobody submitted it.
    submission TEXT,
    priority   INTEGER NOT NULL,
    use_cache  INTEGER NOT NULL,
    -- The trace that it belongs to, as W3C's `traceparent`.
    trace      TEXT,
    state      TEXT NOT NULL CHECK (state IN ('queued', 'claimed', 'done')),
    enqueued   INTEGER NOT NULL,
    -- The process that runs it, for people: whether it lives is for the run's lock to say.
    claimed_by TEXT,
    claimed    INTEGER,
    -- How often a process began to run it, counted before it begins; a good end counts back.
    attempts   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX run_queue_open ON run_queue (state, priority, enqueued, run) WHERE state <> 'done';
