-- What runs ask people, and what was decided.

-- One row for each time that a step asks: a step that is resumed asks again.
-- `approvals` are those of model versions, which the catalog keeps.
CREATE TABLE step_approvals (
    run        TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    step_key   TEXT NOT NULL,
    -- Of the step.
    attempt    INTEGER NOT NULL,
    pipeline   TEXT NOT NULL,
    message    TEXT NOT NULL,
    -- The least that whoever decides must hold.
    role       TEXT NOT NULL,
    -- By name the output, its digest and its media type, JSON.
    shown      TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('open', 'approved', 'rejected', 'expired', 'withdrawn')),
    requested  INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    decided    INTEGER,
    decided_by TEXT,
    reason     TEXT,
    -- What was said in the form, a JSON object.
    input      TEXT,
    -- When the run took it up; until then somebody has to go on with the run.
    settled    INTEGER,
    PRIMARY KEY (run, step_key, attempt)
) STRICT;

CREATE INDEX approvals_open ON step_approvals (requested, run, step_key, attempt) WHERE state = 'open';
CREATE INDEX approvals_by_expiry ON step_approvals (expires) WHERE state = 'open';
CREATE INDEX approvals_unsettled ON step_approvals (run) WHERE settled IS NULL;
CREATE INDEX approvals_by_requested ON step_approvals (requested, run, step_key, attempt);
