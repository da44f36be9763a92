-- Registered models. Times are microseconds since 1970-01-01T00:00:00Z; digests are text.
-- Only this file speaks SQLite's dialect (STRICT, WITHOUT ROWID); the queries are portable.

CREATE TABLE models (
    name         TEXT NOT NULL PRIMARY KEY,
    project      TEXT NOT NULL,
    created      INTEGER NOT NULL,
    actor        TEXT NOT NULL,
    -- The number that the last version got; the next one gets one more.
    last_version INTEGER NOT NULL DEFAULT 0 CHECK (last_version >= 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX models_by_project ON models (project, name);

CREATE TABLE model_versions (
    model        TEXT NOT NULL REFERENCES models (name),
    version      INTEGER NOT NULL CHECK (version >= 1),
    -- Of the version's content, a blob.
    digest       TEXT NOT NULL,
    -- Of the model document that the content names.
    model_digest TEXT NOT NULL,
    -- Digests of the reports that speak for the version, a JSON list.
    evidence     TEXT NOT NULL,
    origin       TEXT,
    run          TEXT,
    step         TEXT,
    git_commit   TEXT,
    actor        TEXT NOT NULL,
    created      INTEGER NOT NULL,
    PRIMARY KEY (model, version),
    UNIQUE (model, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX model_versions_by_digest ON model_versions (digest);
CREATE INDEX model_versions_by_model ON model_versions (model_digest);

-- An alias is what its last move says. The row's number makes moves compare-and-set.
CREATE TABLE alias_moves (
    model        TEXT NOT NULL REFERENCES models (name),
    alias        TEXT NOT NULL,
    -- From 1, without gaps.
    seq          INTEGER NOT NULL CHECK (seq >= 1),
    -- Never before the move before it, whatever the clock did.
    time         INTEGER NOT NULL,
    kind         TEXT NOT NULL CHECK (kind IN ('set', 'rollback')),
    from_version INTEGER,
    to_version   INTEGER,
    -- Of the version that it moved to, a JSON list.
    evidence     TEXT NOT NULL,
    forced       INTEGER NOT NULL CHECK (forced IN (0, 1)),
    reason       TEXT,
    actor        TEXT NOT NULL,
    PRIMARY KEY (model, alias, seq),
    FOREIGN KEY (model, from_version) REFERENCES model_versions (model, version),
    FOREIGN KEY (model, to_version) REFERENCES model_versions (model, version),
    CHECK (forced = 0 OR reason IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX alias_moves_by_time ON alias_moves (model, alias, time, seq);

-- An approval is what its last row says.
CREATE TABLE approvals (
    model   TEXT NOT NULL,
    version INTEGER NOT NULL,
    seq     INTEGER NOT NULL CHECK (seq >= 1),
    time    INTEGER NOT NULL,
    state   TEXT NOT NULL CHECK (state IN ('none', 'pending', 'approved', 'rejected')),
    reason  TEXT,
    actor   TEXT NOT NULL,
    PRIMARY KEY (model, version, seq),
    FOREIGN KEY (model, version) REFERENCES model_versions (model, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE model_tags (
    model TEXT NOT NULL REFERENCES models (name),
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (model, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE version_tags (
    model   TEXT NOT NULL,
    version INTEGER NOT NULL,
    key     TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (model, version, key),
    FOREIGN KEY (model, version) REFERENCES model_versions (model, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE model_notes (
    model TEXT NOT NULL PRIMARY KEY REFERENCES models (name),
    text  TEXT NOT NULL,
    actor TEXT NOT NULL,
    time  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE version_notes (
    model   TEXT NOT NULL,
    version INTEGER NOT NULL,
    text    TEXT NOT NULL,
    actor   TEXT NOT NULL,
    time    INTEGER NOT NULL,
    PRIMARY KEY (model, version),
    FOREIGN KEY (model, version) REFERENCES model_versions (model, version)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER model_versions_stay BEFORE DELETE ON model_versions
BEGIN
    SELECT RAISE(ABORT, 'model versions are never deleted');
END;

CREATE TRIGGER model_versions_never_change BEFORE UPDATE ON model_versions
BEGIN
    SELECT RAISE(ABORT, 'model versions are never changed');
END;

CREATE TRIGGER model_versions_grow BEFORE INSERT ON model_versions
WHEN NEW.version <= (SELECT COALESCE(MAX(version), 0) FROM model_versions WHERE model = NEW.model)
BEGIN
    SELECT RAISE(ABORT, 'model versions strictly increase');
END;

CREATE TRIGGER alias_moves_stay BEFORE DELETE ON alias_moves
BEGIN
    SELECT RAISE(ABORT, 'alias moves are never deleted');
END;

CREATE TRIGGER alias_moves_never_change BEFORE UPDATE ON alias_moves
BEGIN
    SELECT RAISE(ABORT, 'alias moves are never changed');
END;

CREATE TRIGGER approvals_stay BEFORE DELETE ON approvals
BEGIN
    SELECT RAISE(ABORT, 'approvals are never deleted');
END;

CREATE TRIGGER approvals_never_change BEFORE UPDATE ON approvals
BEGIN
    SELECT RAISE(ABORT, 'approvals are never changed');
END;
