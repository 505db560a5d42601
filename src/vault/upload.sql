-- name: upload_add
INSERT INTO upload (no, bucket, id, object, owner, domain, epoch, created_us, wide_sum, sum, key, header, charter, manifest)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: upload_last
SELECT no FROM upload ORDER BY no DESC LIMIT 1;

-- name: upload_by_id
SELECT no, bucket, id, object, owner, domain, epoch, created_us, wide_sum, sum, key, header, charter, manifest
FROM upload WHERE id = $1;

-- name: upload_has
SELECT no FROM upload WHERE id = $1;

-- name: upload_later
SELECT no, bucket, id, object, owner, domain, epoch, created_us, wide_sum, sum, key
FROM upload WHERE bucket = $1 AND key = $2 AND no > $3 ORDER BY no;

-- name: upload_range
SELECT no, bucket, id, object, owner, domain, epoch, created_us, wide_sum, sum, key
FROM upload WHERE bucket = $1 AND key >= $2 AND key < $3 ORDER BY key, no;

-- name: upload_before
SELECT id FROM upload WHERE created_us < $1 ORDER BY created_us LIMIT 1;

-- name: upload_set
UPDATE upload SET epoch = $1, wide_sum = $2, sum = $3, header = $4 WHERE no = $5;

-- name: upload_remove
DELETE FROM upload WHERE no = $1;

-- name: part_put
INSERT INTO part (upload, number, size, modified_us, etag, blob, sha256, sum, meta, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (upload, number) DO UPDATE SET size = excluded.size, modified_us = excluded.modified_us, etag = excluded.etag,
    blob = excluded.blob, sha256 = excluded.sha256, sum = excluded.sum, meta = excluded.meta, body = excluded.body;

-- name: part_get
SELECT upload, number, size, modified_us, etag, blob, sha256, sum, meta, body FROM part WHERE upload = $1 AND number = $2;

-- name: part_at
SELECT upload, number, size, modified_us, etag, blob, sha256, sum, meta, body FROM part
WHERE upload = $1 ORDER BY number LIMIT 1 OFFSET $2;

-- name: part_after
SELECT upload, number, size, modified_us, etag, blob, sha256, sum, meta, body FROM part
WHERE upload = $1 AND number > $2 ORDER BY number;

-- name: part_remove
DELETE FROM part WHERE upload = $1 AND number = $2;

-- name: part_remove_all
DELETE FROM part WHERE upload = $1;

-- name: version_domain_epoch
SELECT epoch FROM version WHERE domain = $1 AND epoch >= $2 AND epoch < $3 ORDER BY epoch LIMIT 1;

-- name: version_domain_next
SELECT no, id, header FROM version WHERE domain = $1 AND epoch = $2 AND no > $3 ORDER BY no;

-- name: version_domain_count
SELECT count(*) FROM version WHERE domain = $1 AND epoch < $2;

-- name: upload_domain_epoch
SELECT epoch FROM upload WHERE domain = $1 AND epoch >= $2 AND epoch < $3 ORDER BY epoch LIMIT 1;

-- name: upload_domain_next
SELECT no, id, header FROM upload WHERE domain = $1 AND epoch = $2 AND no > $3 ORDER BY no;

-- name: upload_domain_count
SELECT count(*) FROM upload WHERE domain = $1 AND epoch < $2;

-- name: stale_put
INSERT INTO stale (version, part) VALUES ($1, 0) ON CONFLICT (version) DO UPDATE SET part = 0;

-- name: stale_next
SELECT version, part FROM stale LIMIT 1;

-- name: stale_set
UPDATE stale SET part = $1 WHERE version = $2;

-- name: stale_remove
DELETE FROM stale WHERE version = $1;
