-- What a client asked for under a key of its own, and what it was answered. Times are microseconds since 1970.

CREATE TABLE idempotency_keys (
    actor       TEXT NOT NULL,
    route       TEXT NOT NULL,
    key         TEXT NOT NULL,
    -- Names what the request makes: the same however often it is begun.
    id          TEXT NOT NULL UNIQUE,
    -- Hash of all that the request says.
    fingerprint TEXT NOT NULL,
    -- The process that works on it, or did.
    holder      TEXT NOT NULL,
    created     INTEGER NOT NULL,
    -- Transactions of the request that were committed.
    effects     INTEGER NOT NULL DEFAULT 0,
    -- The answer, once there is one. Headers are a JSON object.
    status      INTEGER,
    headers     TEXT,
    body        BLOB,
    PRIMARY KEY (actor, route, key)
) STRICT;

CREATE INDEX idempotency_keys_by_created ON idempotency_keys (created);
