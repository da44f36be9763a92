-- Schedules as they stand, what became of each of their times, and backfills. What a schedule says is in the project's
-- file; here is what was decided.

CREATE TABLE schedules (
    name     TEXT NOT NULL PRIMARY KEY,
    -- Its times in words, as they were when the cursor was set. Other words make it another schedule, which begins anew.
    timing   TEXT NOT NULL,
    -- The last nominal time that was decided.
    cursor   INTEGER NOT NULL,
    -- By a person; the file can hold it as well.
    paused   INTEGER NOT NULL,
    -- When to look at it again; null where it is held or no longer in the file.
    next_due INTEGER,
    created  INTEGER NOT NULL,
    changed  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- So that schedules that are not due cost nothing.
CREATE INDEX schedules_due ON schedules (next_due, name) WHERE next_due IS NOT NULL;

-- At most one run for each schedule and nominal time, for ever: so a row outlives its run, and names it without a
-- reference.
CREATE TABLE schedule_runs (
    schedule     TEXT NOT NULL,
    nominal_time INTEGER NOT NULL,
    -- `started` until somebody sees that the run has ended.
    state        TEXT NOT NULL CHECK (state IN ('waiting', 'started', 'ended', 'skipped')),
    run          TEXT,
    backfill     TEXT,
    -- Why there is no run.
    reason       TEXT,
    decided      INTEGER NOT NULL,
    PRIMARY KEY (schedule, nominal_time)
) STRICT, WITHOUT ROWID;

CREATE INDEX schedule_runs_open ON schedule_runs (state, schedule, nominal_time) WHERE state IN ('waiting', 'started');

CREATE TABLE backfills (
    id          TEXT NOT NULL PRIMARY KEY,
    schedule    TEXT NOT NULL,
    -- Nominal times from the one on and before the other.
    from_time   INTEGER NOT NULL,
    to_time     INTEGER NOT NULL,
    parallelism INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('running', 'done', 'cancelled')),
    -- The last nominal time that was looked at.
    cursor      INTEGER NOT NULL,
    submitted   INTEGER NOT NULL DEFAULT 0,
    actor       TEXT NOT NULL,
    created     INTEGER NOT NULL,
    ended       INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX backfills_running ON backfills (created, id) WHERE state = 'running';
CREATE INDEX backfills_by_schedule ON backfills (schedule, created, id);
