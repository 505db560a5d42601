-- The ledger's index, derived from its entries: which bundles of 256 mention a value. See postings.h.

-- script: schema
CREATE TABLE IF NOT EXISTS head (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	bundles INTEGER NOT NULL, -- indexed so far
	root BLOB NOT NULL -- of the tree at that size
);
CREATE TABLE IF NOT EXISTS posting (
	epoch INTEGER NOT NULL, -- bundle / 128: written once, in order, so that a large index is as fast as a small one
	key INTEGER NOT NULL, -- 64 bits of SHA-256 of kind and value
	bundle INTEGER NOT NULL,
	PRIMARY KEY (epoch, key, bundle)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS span (
	bundle INTEGER PRIMARY KEY,
	first_us INTEGER NOT NULL,
	last_us INTEGER NOT NULL
);

-- name: head_get
SELECT bundles, root FROM head;

-- name: head_put
INSERT INTO head (one, bundles, root) VALUES (1, $1, $2)
ON CONFLICT (one) DO UPDATE SET bundles = excluded.bundles, root = excluded.root;

-- name: posting_add
INSERT INTO posting (epoch, key, bundle) VALUES ($1, $2, $3);

-- name: span_add
INSERT INTO span (bundle, first_us, last_us) VALUES ($1, $2, $3);

-- name: find_any
SELECT bundle FROM span WHERE bundle < $1 AND last_us >= $2 AND first_us < $3 ORDER BY bundle DESC;

-- Bundles of an epoch that mention all of five values.
-- name: find
SELECT p.bundle FROM posting p CROSS JOIN span s ON s.bundle = p.bundle
WHERE p.epoch = $1 AND p.key = $2 AND p.bundle < $3 AND s.last_us >= $4 AND s.first_us < $5
	AND ($6 IS NULL OR EXISTS (SELECT 1 FROM posting WHERE epoch = p.epoch AND key = $6 AND bundle = p.bundle))
	AND ($7 IS NULL OR EXISTS (SELECT 1 FROM posting WHERE epoch = p.epoch AND key = $7 AND bundle = p.bundle))
	AND ($8 IS NULL OR EXISTS (SELECT 1 FROM posting WHERE epoch = p.epoch AND key = $8 AND bundle = p.bundle))
	AND ($9 IS NULL OR EXISTS (SELECT 1 FROM posting WHERE epoch = p.epoch AND key = $9 AND bundle = p.bundle))
ORDER BY p.bundle DESC;
