-- The audit as a feed of events: how far each reader is, what came in from outside, and what triggers started.

-- The last audit record that a reader is done with.
CREATE TABLE feed_cursors (
    name TEXT NOT NULL PRIMARY KEY,
    seq  INTEGER NOT NULL,
    time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Events and webhooks that were taken, so that the same one again is known.
CREATE TABLE seen_events (
    -- `events`, or `hook:NAME`.
    scope   TEXT NOT NULL,
    source  TEXT NOT NULL,
    id      TEXT NOT NULL,
    time    INTEGER NOT NULL,
    -- From when on it need not be known any more. Null: never.
    expires INTEGER,
    PRIMARY KEY (scope, source, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX seen_events_by_expiry ON seen_events (expires) WHERE expires IS NOT NULL;

-- What each subscription is at: one row, since events go out in order.
CREATE TABLE deliveries (
    subscription TEXT NOT NULL PRIMARY KEY,
    -- The audit record that is, or was last, delivered.
    seq          INTEGER NOT NULL,
    -- Failed ones; 0 once it was delivered or given up.
    attempts     INTEGER NOT NULL,
    -- When it was tried first.
    since        INTEGER NOT NULL,
    next_attempt INTEGER NOT NULL,
    outcome      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE trigger_runs (
    run     TEXT NOT NULL PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    trigger TEXT NOT NULL,
    -- 1 for a run that something outside caused, one more for what follows from such a run, and so on.
    depth   INTEGER NOT NULL,
    -- What caused it: `audit:17`, or the event's source and id.
    cause   TEXT NOT NULL,
    time    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX trigger_runs_by_trigger ON trigger_runs (trigger, time, run);
