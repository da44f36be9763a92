-- What monitors found, and what was done about it.

-- A window that was judged. The run that judged it names the window's and the reference's bytes.
CREATE TABLE monitor_windows (
    monitor    TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    endpoint   TEXT NOT NULL,
    -- Of the endpoint's inference log: the first row, and the one after the last.
    from_row   INTEGER NOT NULL,
    to_row     INTEGER NOT NULL,
    starts     INTEGER NOT NULL,
    ends       INTEGER NOT NULL,
    rows       INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    -- The rows as a table.
    digest     TEXT NOT NULL,
    run        TEXT NOT NULL,
    findings   TEXT NOT NULL,
    found      INTEGER NOT NULL,
    -- Why there are no findings.
    error      TEXT,
    time       INTEGER NOT NULL,
    PRIMARY KEY (monitor, seq)
) STRICT, WITHOUT ROWID;

-- What a rule wants to happen: written with its window, done afterwards, as often as it takes.
CREATE TABLE monitor_actions (
    id           TEXT NOT NULL PRIMARY KEY,
    monitor      TEXT NOT NULL,
    seq          INTEGER NOT NULL,
    rule         TEXT NOT NULL,
    kind         TEXT NOT NULL,
    action       TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('pending', 'done', 'failed', 'held')),
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_attempt INTEGER NOT NULL,
    outcome      TEXT,
    created      INTEGER NOT NULL,
    ended        INTEGER,
    FOREIGN KEY (monitor, seq) REFERENCES monitor_windows (monitor, seq)
) STRICT;

CREATE INDEX monitor_actions_pending ON monitor_actions (next_attempt) WHERE state = 'pending';
CREATE INDEX monitor_actions_by_window ON monitor_actions (monitor, seq);
CREATE INDEX monitor_actions_by_rule ON monitor_actions (monitor, rule, created);
