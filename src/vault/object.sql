-- name: version_add
INSERT INTO version (no, bucket, id, object, flags, size, modified_us, n_parts, etag, owner, domain, epoch, blob, sha256,
    list_hash, wide_sum, sum, key, header, charter, manifest, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22);

-- name: version_last
SELECT no FROM version ORDER BY no DESC LIMIT 1;

-- name: version_newest
SELECT no, bucket, id, object, flags, size, modified_us, n_parts, etag, owner, domain, epoch, blob, sha256, list_hash,
    wide_sum, sum, key, header, charter, manifest, body
FROM version WHERE bucket = $1 AND key = $2 ORDER BY no DESC LIMIT 1;

-- name: version_by_id
SELECT no, bucket, id, object, flags, size, modified_us, n_parts, etag, owner, domain, epoch, blob, sha256, list_hash,
    wide_sum, sum, key, header, charter, manifest, body
FROM version WHERE id = $1;

-- name: version_newest_slim
SELECT no, bucket, id, object, flags, size, modified_us, n_parts, etag, owner, domain, epoch, blob, sha256, list_hash,
    wide_sum, sum, key
FROM version WHERE bucket = $1 AND key = $2 ORDER BY no DESC LIMIT 1;

-- name: version_by_id_slim
SELECT no, bucket, id, object, flags, size, modified_us, n_parts, etag, owner, domain, epoch, blob, sha256, list_hash,
    wide_sum, sum, key
FROM version WHERE id = $1;

-- name: version_older
SELECT no, bucket, id, object, flags, size, modified_us, n_parts, etag, owner, domain, epoch, blob, sha256, list_hash,
    wide_sum, sum, key
FROM version WHERE bucket = $1 AND key = $2 AND no < $3 ORDER BY no DESC;

-- name: version_range
SELECT no, bucket, id, object, flags, size, modified_us, n_parts, etag, owner, domain, epoch, blob, sha256, list_hash,
    wide_sum, sum, key
FROM version WHERE bucket = $1 AND key >= $2 AND key < $3 ORDER BY key, no DESC;

-- name: version_set
UPDATE version SET epoch = $1, wide_sum = $2, sum = $3, header = $4, charter = $5, manifest = $6 WHERE no = $7;

-- name: version_lockable
SELECT version.charter FROM version JOIN bucket ON bucket.no = version.bucket
WHERE version.domain = $1 AND bucket.object_lock = 1;

-- name: version_remove
DELETE FROM version WHERE no = $1;

-- name: entry_put
INSERT INTO entry (bucket, key, no, id, flags, size, modified_us, n_parts, etag, owner, sum)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (bucket, key) DO UPDATE SET no = excluded.no, id = excluded.id, flags = excluded.flags, size = excluded.size,
    modified_us = excluded.modified_us, n_parts = excluded.n_parts, etag = excluded.etag, owner = excluded.owner,
    sum = excluded.sum;

-- name: entry_remove
DELETE FROM entry WHERE bucket = $1 AND key = $2;

-- name: entry_range
SELECT bucket, key, no, id, flags, size, modified_us, n_parts, etag, owner, sum
FROM entry WHERE bucket = $1 AND key >= $2 AND key < $3 ORDER BY key;

-- name: blob_add
INSERT INTO blob (id, checked_us, bad, sha256) VALUES ($1, $2, 0, $3);

-- name: blob_get
SELECT bad, sha256 FROM blob WHERE id = $1;

-- name: blob_remove
DELETE FROM blob WHERE id = $1;

-- name: blob_next
SELECT id, sha256 FROM blob WHERE checked_us < $1 ORDER BY checked_us, id LIMIT 1;

-- name: blob_checked
UPDATE blob SET checked_us = $1, bad = $2 WHERE id = $3;

-- name: blob_bad_count
SELECT count(*) FROM blob WHERE bad = 1;

-- name: blob_oldest
SELECT checked_us FROM blob ORDER BY checked_us LIMIT 1;

-- name: version_after
SELECT no, bucket, id, object, flags, size, modified_us, n_parts, etag, owner, domain, epoch, blob, sha256, list_hash,
    wide_sum, sum, key
FROM version WHERE bucket = $1 AND no > $2 ORDER BY no;

-- name: version_newest_no
SELECT no FROM version WHERE bucket = $1 ORDER BY no DESC LIMIT 1;
