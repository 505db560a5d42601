-- name: meta_get
SELECT value FROM meta WHERE name = $1;

-- name: meta_set
INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: bucket_by_name
SELECT no, id, name, owner, versioning, object_lock, created_us, docs, charter, sum FROM bucket WHERE name = $1;

-- name: bucket_by_id
SELECT no, id, name, owner, versioning, object_lock, created_us, docs, charter, sum FROM bucket WHERE id = $1;

-- name: bucket_by_no
SELECT no, id, name, owner, versioning, object_lock, created_us, docs, charter, sum FROM bucket WHERE no = $1;

-- name: bucket_by_owner
SELECT no, id, name, owner, versioning, object_lock, created_us, docs, charter, sum FROM bucket
WHERE owner = $1 AND name > $2 ORDER BY name;

-- name: bucket_add
INSERT INTO bucket (id, name, owner, versioning, object_lock, created_us, docs, charter, sum)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: bucket_set
UPDATE bucket SET versioning = $1, docs = $2, charter = $3, sum = $4 WHERE no = $5;

-- name: bucket_remove
DELETE FROM bucket WHERE no = $1;

-- name: bucket_any_version
SELECT no FROM version WHERE bucket = $1 LIMIT 1;

-- name: bucket_any_upload
SELECT id FROM upload WHERE bucket = $1 LIMIT 1;

-- name: doc_get
SELECT body, sum FROM doc WHERE bucket = $1 AND which = $2;

-- name: doc_set
INSERT INTO doc (bucket, which, body, sum) VALUES ($1, $2, $3, $4)
ON CONFLICT (bucket, which) DO UPDATE SET body = excluded.body, sum = excluded.sum;

-- name: doc_remove
DELETE FROM doc WHERE bucket = $1 AND which = $2;

-- name: doc_remove_all
DELETE FROM doc WHERE bucket = $1;
