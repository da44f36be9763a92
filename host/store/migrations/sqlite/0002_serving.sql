-- What endpoints are to do, and what became of it. The rows are all that a server needs to come back after a crash.

CREATE TABLE endpoints (
    name    TEXT NOT NULL PRIMARY KEY,
    -- The reference that it follows, `NAME@ALIAS` or `NAME@3`.
    model   TEXT NOT NULL,
    -- As JSON: the configuration that it was served with last, and what is kept of it besides its releases.
    config  TEXT NOT NULL,
    state   TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL
) STRICT;

CREATE TABLE releases (
    id        TEXT NOT NULL PRIMARY KEY,
    endpoint  TEXT NOT NULL REFERENCES endpoints (name),
    -- The order in which they were asked for, from 1.
    position  INTEGER NOT NULL,
    -- What whoever asked for it calls the wish; the same key is the same release.
    key       TEXT,
    version   INTEGER NOT NULL,
    phase     TEXT NOT NULL
              CHECK (phase IN ('pending', 'canary', 'shadow', 'live', 'retired', 'rolled-back')),
    -- As JSON: plan, step, times, reasons.
    state     TEXT NOT NULL,
    actor     TEXT NOT NULL,
    requested INTEGER NOT NULL,
    -- When it got its last traffic, or the wish for it ended.
    ended     INTEGER,
    UNIQUE (endpoint, position),
    UNIQUE (endpoint, key)
) STRICT;

CREATE INDEX releases_at_work ON releases (endpoint, position) WHERE ended IS NULL;

CREATE TABLE release_events (
    endpoint TEXT NOT NULL REFERENCES endpoints (name),
    seq      INTEGER NOT NULL,
    time     INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    release  TEXT NOT NULL,
    -- What happened, in one word, and the rest as JSON.
    event    TEXT NOT NULL,
    details  TEXT NOT NULL,
    PRIMARY KEY (endpoint, seq)
) STRICT;

CREATE TRIGGER release_events_keep BEFORE DELETE ON release_events
BEGIN
    SELECT RAISE(ABORT, 'the history of releases is never deleted');
END;

CREATE TRIGGER release_events_never_change BEFORE UPDATE ON release_events
BEGIN
    SELECT RAISE(ABORT, 'the history of releases is never changed');
END;
