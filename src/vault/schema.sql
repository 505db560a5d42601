-- script: schema
-- doc/vault.md explains each table. Names and keys are bytes, compared in byte order. "sum" is the first eight bytes of a SHA-256
-- over the row (row.c), "wide_sum" over the long columns, so that a short read need not look at them.
CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE bucket (
    no INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    name BLOB NOT NULL UNIQUE,
    owner BLOB NOT NULL,
    versioning INTEGER NOT NULL,
    object_lock INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    docs INTEGER NOT NULL,
    charter BLOB NOT NULL,
    sum BLOB NOT NULL
);
CREATE INDEX bucket_owner ON bucket (owner, name);

CREATE TABLE doc (
    bucket INTEGER NOT NULL,
    which INTEGER NOT NULL,
    body BLOB NOT NULL,
    sum BLOB NOT NULL,
    PRIMARY KEY (bucket, which)
) WITHOUT ROWID;

-- the newest version of each key that is not a delete marker: what listings of objects read
CREATE TABLE entry (
    bucket INTEGER NOT NULL,
    key BLOB NOT NULL,
    no INTEGER NOT NULL,
    id BLOB NOT NULL,
    flags INTEGER NOT NULL,
    size INTEGER NOT NULL,
    modified_us INTEGER NOT NULL,
    n_parts INTEGER NOT NULL,
    etag BLOB NOT NULL,
    owner BLOB NOT NULL,
    sum BLOB NOT NULL,
    PRIMARY KEY (bucket, key)
) WITHOUT ROWID;

CREATE TABLE version (
    no INTEGER PRIMARY KEY,
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL UNIQUE,
    object BLOB NOT NULL,
    flags INTEGER NOT NULL,
    size INTEGER NOT NULL,
    modified_us INTEGER NOT NULL,
    n_parts INTEGER NOT NULL,
    etag BLOB NOT NULL,
    owner BLOB NOT NULL,
    domain BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    blob BLOB NOT NULL,
    sha256 BLOB NOT NULL,
    list_hash BLOB NOT NULL,
    wide_sum BLOB NOT NULL,
    sum BLOB NOT NULL,
    key BLOB NOT NULL,
    header BLOB NOT NULL,
    charter BLOB NOT NULL,
    manifest BLOB NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX version_key ON version (bucket, key, no DESC);
CREATE INDEX version_domain ON version (domain, epoch, no);
CREATE INDEX version_order ON version (bucket, no);

CREATE TABLE upload (
    no INTEGER PRIMARY KEY,
    bucket INTEGER NOT NULL,
    id BLOB NOT NULL UNIQUE,
    object BLOB NOT NULL,
    owner BLOB NOT NULL,
    domain BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    wide_sum BLOB NOT NULL,
    sum BLOB NOT NULL,
    key BLOB NOT NULL,
    header BLOB NOT NULL,
    charter BLOB NOT NULL,
    manifest BLOB NOT NULL
);
CREATE INDEX upload_key ON upload (bucket, key, no);
CREATE INDEX upload_domain ON upload (domain, epoch, no);
CREATE INDEX upload_created ON upload (created_us);

-- parts of uploads and, under the same id, of the versions that they became
CREATE TABLE part (
    upload BLOB NOT NULL,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    modified_us INTEGER NOT NULL,
    etag BLOB NOT NULL,
    blob BLOB NOT NULL,
    sha256 BLOB NOT NULL,
    sum BLOB NOT NULL,
    meta BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;

-- every file under blobs/
CREATE TABLE blob (
    id BLOB NOT NULL PRIMARY KEY,
    checked_us INTEGER NOT NULL,
    bad INTEGER NOT NULL,
    sha256 BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX blob_checked ON blob (checked_us, id);
CREATE INDEX blob_bad ON blob (id) WHERE bad = 1;

-- versions and uploads whose files still carry an older wrapped key than their header here
CREATE TABLE stale (
    version BLOB NOT NULL PRIMARY KEY,
    part INTEGER NOT NULL
) WITHOUT ROWID;
