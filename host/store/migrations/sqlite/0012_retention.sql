-- Blobs that nothing named when they were looked for last. They are removed when that is still so a day later.

CREATE TABLE condemned_blobs (
    digest TEXT NOT NULL PRIMARY KEY,
    -- When nothing named it for the first time.
    since  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
