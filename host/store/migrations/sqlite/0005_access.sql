-- Who may do what. A token itself is kept nowhere: its SHA-256 is enough to know it again.

CREATE TABLE tokens (
    -- Public: what people call it by.
    id         TEXT NOT NULL PRIMARY KEY,
    -- Part of the actor in the audit, `token:NAME`. One good token has it at a time.
    name       TEXT NOT NULL,
    -- SHA-256 in hex.
    hash       TEXT NOT NULL UNIQUE,
    role       TEXT NOT NULL,
    -- A JSON list; empty is every area.
    scopes     TEXT NOT NULL,
    -- 1 if its holder may give access to others.
    administers INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires    INTEGER,
    -- To the minute.
    last_used  INTEGER,
    revoked    INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX tokens_by_name ON tokens (name) WHERE revoked IS NULL;
CREATE INDEX tokens_by_created ON tokens (created, id);
