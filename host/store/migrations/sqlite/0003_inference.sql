-- What endpoints answered, and what turned out to be true. The rows themselves are in tables in the artifact store; here
-- is where to find them.

-- One row an endpoint. Journals are sealed in the order of their numbers.
CREATE TABLE inference_logs (
    endpoint TEXT NOT NULL PRIMARY KEY,
    -- Journals up to this number are in segments.
    sealed   INTEGER NOT NULL,
    -- Rows of the endpoint are numbered; those below this are in segments, or were removed with theirs.
    next_seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The rows of a journal that have the same columns.
CREATE TABLE inference_segments (
    id         INTEGER NOT NULL PRIMARY KEY,
    endpoint   TEXT NOT NULL REFERENCES inference_logs (endpoint),
    journal    INTEGER NOT NULL,
    part       INTEGER NOT NULL,
    digest     TEXT NOT NULL,
    rows       INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    -- How many of the table's first columns are features.
    features   INTEGER NOT NULL,
    -- The field that the model predicts, as JSON, where it is known.
    target     TEXT,
    -- Inclusive. Rows of another segment may lie between them.
    first_seq  INTEGER NOT NULL,
    last_seq   INTEGER NOT NULL,
    first_time INTEGER NOT NULL,
    last_time  INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    UNIQUE (endpoint, journal, part)
) STRICT;

CREATE INDEX inference_segments_by_seq ON inference_segments (endpoint, last_seq);

-- Where a prediction is. Appended a segment at a time, and removed so.
CREATE TABLE inference_ids (
    segment INTEGER NOT NULL,
    row     INTEGER NOT NULL,
    id      TEXT NOT NULL,
    time    INTEGER NOT NULL,
    PRIMARY KEY (segment, row)
) STRICT, WITHOUT ROWID;

CREATE INDEX inference_ids_by_id ON inference_ids (id);

CREATE TABLE labels (
    endpoint TEXT NOT NULL,
    id       TEXT NOT NULL,
    -- Canonical JSON.
    value    TEXT NOT NULL,
    received INTEGER NOT NULL,
    -- 1 if it came after the endpoint's lateness: kept, and used by no window.
    late     INTEGER NOT NULL,
    PRIMARY KEY (endpoint, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX labels_by_received ON labels (endpoint, received, id);

-- What a model says of its training rows: a table that monitors compare with, made once.
CREATE TABLE inference_references (
    model    TEXT NOT NULL,
    training TEXT NOT NULL,
    digest   TEXT NOT NULL,
    created  INTEGER NOT NULL,
    PRIMARY KEY (model, training)
) STRICT, WITHOUT ROWID;
