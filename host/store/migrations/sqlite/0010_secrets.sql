-- Named secrets, encrypted before they come here: the database and its copies hold no value.

CREATE TABLE secrets (
    name       TEXT NOT NULL PRIMARY KEY,
    -- Twelve random bytes, new with each value.
    nonce      BLOB NOT NULL,
    -- With the tag at its end.
    ciphertext BLOB NOT NULL,
    -- Which key it was encrypted with: says nothing of the key itself.
    key_id     TEXT NOT NULL,
    -- When the name was first set, and when and by whom its value was.
    created    INTEGER NOT NULL,
    updated    INTEGER NOT NULL,
    actor      TEXT NOT NULL
) STRICT;
