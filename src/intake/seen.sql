-- What intake has taken: keyed tokens, nothing of a message. See seen.h.

-- script: schema
CREATE TABLE IF NOT EXISTS seen (
	token BLOB PRIMARY KEY, -- 16 bytes
	digest BLOB NOT NULL, -- 16 bytes
	at INTEGER NOT NULL -- microseconds since 1970
) WITHOUT ROWID;

-- name: seen_get
SELECT digest FROM seen WHERE token = $1;

-- name: seen_put
INSERT INTO seen (token, digest, at) VALUES ($1, $2, $3)
ON CONFLICT (token) DO UPDATE SET digest = excluded.digest, at = excluded.at;

-- A slice of the tokens at a time: they are spread evenly, so that no index by time is needed.
-- name: seen_prune
DELETE FROM seen WHERE token >= $1 AND token < $2 AND at < $3;
