-- The statements of test_db.c.

-- script: schema
CREATE TABLE thing (no INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, number INTEGER, id BLOB);

-- name: add
INSERT INTO thing (name, number, id) VALUES ($1, $2, $3);

-- name: by_name
SELECT no, name, number, id FROM thing WHERE name = $1;

-- name: all_from
SELECT name, number FROM thing WHERE name >= $1 ORDER BY name;

-- name: rename
UPDATE thing SET name = $1 WHERE name = $2;

-- name: count
SELECT count(*) FROM thing;

-- name: wrong
SELECT nothing FROM nowhere;
