-- Times are microseconds since 1970-01-01T00:00:00Z. JSON is text. Digests and ids are text.
-- Only this file speaks SQLite's dialect (STRICT, WITHOUT ROWID); the queries are portable.
--
-- What a step costs is mostly the number of pages that its rows touch. So a table is its own index (WITHOUT ROWID) where
-- its rows are small, and rows of some size are appended, with a narrow index beside them.

CREATE TABLE experiments (
    id      TEXT NOT NULL PRIMARY KEY,
    project TEXT NOT NULL DEFAULT 'default',
    name    TEXT NOT NULL,
    created INTEGER NOT NULL,
    UNIQUE (project, name)
) STRICT, WITHOUT ROWID;

INSERT INTO experiments (id, name, created) VALUES ('0', 'Default', 0);

-- Narrow, because every event of a run rewrites its row; what is large and never changes is in run_documents.
CREATE TABLE runs (
    id               TEXT NOT NULL PRIMARY KEY,
    project          TEXT NOT NULL DEFAULT 'default',
    experiment       TEXT NOT NULL REFERENCES experiments (id),
    pipeline         TEXT NOT NULL,
    name             TEXT NOT NULL,
    status           TEXT NOT NULL
                     CHECK (status IN ('scheduled', 'running', 'waiting', 'succeeded', 'failed', 'cancelled')),
    nominal_time     INTEGER NOT NULL,
    seed             INTEGER NOT NULL,
    parent           TEXT REFERENCES runs (id),
    created          INTEGER NOT NULL,
    started          INTEGER,
    ended            INTEGER,
    cancel_requested INTEGER,
    error            TEXT,
    -- How many events the run has; the next one gets this number.
    next_seq         INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX runs_by_created ON runs (created, id);
CREATE INDEX runs_by_pipeline ON runs (pipeline, created, id);
CREATE INDEX runs_by_status ON runs (status, created, id);

CREATE TABLE run_documents (
    run    TEXT NOT NULL PRIMARY KEY REFERENCES runs (id),
    params TEXT NOT NULL,
    graph  TEXT NOT NULL
) STRICT;

CREATE TABLE source_state (
    run          TEXT NOT NULL PRIMARY KEY REFERENCES runs (id),
    git_commit   TEXT,
    branch       TEXT,
    dirty_digest TEXT,
    patch_digest TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE run_events (
    run   TEXT NOT NULL REFERENCES runs (id),
    seq   INTEGER NOT NULL,
    time  INTEGER NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE steps (
    run            TEXT NOT NULL REFERENCES runs (id),
    step_key       TEXT NOT NULL,
    -- Of the run, repeated here for the index below.
    pipeline       TEXT NOT NULL,
    position       INTEGER NOT NULL,
    uses           TEXT NOT NULL,
    plugin_name    TEXT,
    plugin_version TEXT,
    plugin_digest  TEXT,
    kind           TEXT,
    status         TEXT NOT NULL,
    cache          TEXT NOT NULL,
    reason         TEXT,
    attempts       INTEGER NOT NULL,
    started        INTEGER,
    ended          INTEGER,
    duration_ms    INTEGER,
    usage          TEXT,
    error          TEXT,
    cache_key      TEXT,
    key_parts      TEXT,
    PRIMARY KEY (run, step_key)
) STRICT;

CREATE INDEX steps_succeeded ON steps (pipeline, step_key, ended) WHERE status = 'succeeded';

CREATE TABLE step_outputs (
    run        TEXT NOT NULL,
    step_key   TEXT NOT NULL,
    name       TEXT NOT NULL,
    digest     TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size       INTEGER NOT NULL,
    rows       INTEGER,
    PRIMARY KEY (run, step_key, name),
    FOREIGN KEY (run, step_key) REFERENCES steps (run, step_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE params (
    run   TEXT NOT NULL REFERENCES runs (id),
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE tags (
    run   TEXT NOT NULL REFERENCES runs (id),
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;

-- The latest point of each metric. A NaN is value 0 with is_nan 1, since a database may know no NaN.
CREATE TABLE metrics (
    run      TEXT NOT NULL REFERENCES runs (id),
    -- Empty for what belongs to the run as a whole.
    step_key TEXT NOT NULL,
    key      TEXT NOT NULL,
    step     INTEGER NOT NULL,
    time     INTEGER NOT NULL,
    value    REAL NOT NULL,
    is_nan   INTEGER NOT NULL,
    PRIMARY KEY (run, step_key, key)
) STRICT, WITHOUT ROWID;

-- No reference to runs: metrics has it, and the two are written together. The table is its only index.
CREATE TABLE metric_points (
    run      TEXT NOT NULL,
    step_key TEXT NOT NULL,
    key      TEXT NOT NULL,
    time     INTEGER NOT NULL,
    step     INTEGER NOT NULL,
    value    REAL NOT NULL,
    is_nan   INTEGER NOT NULL,
    PRIMARY KEY (run, step_key, key, time, step, value, is_nan)
) STRICT, WITHOUT ROWID;

CREATE TABLE artifacts (
    digest     TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size       INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    PRIMARY KEY (digest, media_type)
) STRICT, WITHOUT ROWID;

CREATE TABLE lineage (
    run         TEXT NOT NULL REFERENCES runs (id),
    step_key    TEXT NOT NULL,
    attempt     INTEGER NOT NULL,
    direction   TEXT NOT NULL CHECK (direction IN ('used', 'made')),
    role        TEXT NOT NULL,
    digest      TEXT NOT NULL,
    -- The digest's first 8 bytes: an index of whole digests would be five times as large.
    digest_head INTEGER NOT NULL,
    PRIMARY KEY (run, step_key, attempt, direction, role)
) STRICT;

CREATE INDEX lineage_by_digest ON lineage (digest_head);

-- No references to runs: a cache outlives what is deleted by retention.
CREATE TABLE cache_entries (
    cache_key TEXT NOT NULL PRIMARY KEY,
    run       TEXT NOT NULL,
    step_key  TEXT NOT NULL,
    outputs   TEXT NOT NULL,
    metrics   TEXT NOT NULL,
    clock     INTEGER,
    created   INTEGER NOT NULL
) STRICT;

CREATE TABLE checkpoints (
    cache_key TEXT NOT NULL PRIMARY KEY,
    digest    TEXT NOT NULL,
    created   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE log_lines (
    run      TEXT NOT NULL REFERENCES runs (id),
    step_key TEXT NOT NULL,
    attempt  INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    time     INTEGER NOT NULL,
    level    TEXT NOT NULL,
    message  TEXT NOT NULL,
    fields   TEXT NOT NULL,
    PRIMARY KEY (run, step_key, attempt, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    seq      INTEGER NOT NULL PRIMARY KEY,
    time     INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    action   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    details  TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash     TEXT NOT NULL
) STRICT;

CREATE TRIGGER audit_keeps_records BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit records are never deleted');
END;

CREATE TRIGGER audit_changes_no_record BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit records are never changed');
END;

-- One row that a barrier changes, so that its commit has something to write and to sync.
CREATE TABLE barriers (
    id    INTEGER NOT NULL PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT;

INSERT INTO barriers (id, count) VALUES (1, 0);
