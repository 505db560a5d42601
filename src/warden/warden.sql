-- Warden's state: sealed rows, and the ledger's newest tree head. Nothing here can be read without the root key.

-- script: schema
-- A deleted or replaced value is overwritten with zeros.
PRAGMA secure_delete = ON;
CREATE TABLE IF NOT EXISTS entity (
    kind INTEGER NOT NULL,
    id BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    sealed BLOB NOT NULL
);

-- script: scrub
VACUUM;
PRAGMA wal_checkpoint(TRUNCATE);

-- name: entity_all
SELECT kind, id, sealed FROM entity ORDER BY kind, id;

-- name: entity_put
INSERT INTO entity (kind, id, sealed) VALUES ($1, $2, $3)
    ON CONFLICT (kind, id) DO UPDATE SET sealed = excluded.sealed;

-- name: entity_delete
DELETE FROM entity WHERE kind = $1 AND id = $2;

-- name: head_get
SELECT sealed FROM head;

-- name: head_put
INSERT INTO head (one, sealed) VALUES (1, $1)
    ON CONFLICT (one) DO UPDATE SET sealed = excluded.sealed;
