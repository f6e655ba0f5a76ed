-- The record as a Merkle tree: checkpoints, witnesses, reviews, retention.
-- `stream` is a chain as in `audit`: a ministry's id, or `platform`.

-- How far each chain's tree was built: its size, and the roots of the perfect subtrees it is made of.
CREATE TABLE audit_trees (
    stream TEXT PRIMARY KEY,
    size BIGINT NOT NULL,
    frontier BYTEA NOT NULL,
    at BIGINT NOT NULL
);

-- Roots of perfect subtrees of 256, 65,536 and 16,777,216 leaves (levels 8, 16, 24): what proofs are made of.
CREATE TABLE audit_nodes (
    stream TEXT NOT NULL,
    level BIGINT NOT NULL,
    place BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (stream, level, place)
);

-- Signed notes: how each chain stood.
CREATE TABLE audit_checkpoints (
    stream TEXT NOT NULL,
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    note TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (stream, size)
);

-- How far each witness knows each chain.
CREATE TABLE audit_deliveries (
    witness TEXT NOT NULL,
    stream TEXT NOT NULL,
    size BIGINT NOT NULL,
    delivered_at BIGINT,
    tried_at BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    problem TEXT NOT NULL,
    cosignature TEXT NOT NULL,
    PRIMARY KEY (witness, stream)
);

-- Logs of others that we witness: the newest checkpoint, and all that were seen.
CREATE TABLE witnessed_logs (
    origin TEXT PRIMARY KEY,
    size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    at BIGINT NOT NULL
);
CREATE TABLE witnessed_checkpoints (
    origin TEXT NOT NULL,
    size BIGINT NOT NULL,
    note TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (origin, size)
);

-- What a recorded act took away: entries up to `size`. What remains still verifies from the hash and frontier kept here.
CREATE TABLE audit_retired (
    stream TEXT PRIMARY KEY,
    size BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    frontier BYTEA NOT NULL,
    note TEXT NOT NULL,
    at BIGINT NOT NULL
);

-- What entries say of people beside their identifiers: the entry holds a salted hash of it, so that it can be forgotten.
CREATE TABLE audit_personal (
    stream TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    hash TEXT NOT NULL,
    person TEXT NOT NULL,
    salt BYTEA NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (stream, sequence, hash)
);
CREATE INDEX audit_personal_by_person ON audit_personal (person);

-- Months an auditor has looked at and signed off. `counts` is JSON: what they saw.
CREATE TABLE audit_reviews (
    stream TEXT NOT NULL,
    month TEXT NOT NULL,
    person TEXT NOT NULL,
    note TEXT NOT NULL,
    counts TEXT NOT NULL,
    size BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (stream, month)
);

-- Append-only from here on, but for what was retired.
-- @sqlite
DROP TRIGGER audit_no_delete;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
WHEN NOT EXISTS (SELECT 1 FROM audit_retired WHERE audit_retired.stream = OLD.stream AND audit_retired.size >= OLD.sequence)
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
CREATE TRIGGER audit_checkpoints_no_update BEFORE UPDATE ON audit_checkpoints BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
CREATE TRIGGER audit_checkpoints_no_delete BEFORE DELETE ON audit_checkpoints
WHEN NOT EXISTS (SELECT 1 FROM audit_retired WHERE audit_retired.stream = OLD.stream AND audit_retired.size > OLD.size)
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
CREATE TRIGGER audit_reviews_no_update BEFORE UPDATE ON audit_reviews BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
CREATE TRIGGER audit_reviews_no_delete BEFORE DELETE ON audit_reviews BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;
-- @end
-- @postgres
CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM audit_retired WHERE audit_retired.stream = OLD.stream AND audit_retired.size >= OLD.sequence) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the record is append-only';
END $$;
CREATE FUNCTION audit_checkpoints_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM audit_retired WHERE audit_retired.stream = OLD.stream AND audit_retired.size > OLD.size) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the record is append-only';
END $$;
CREATE FUNCTION audit_reviews_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the record is append-only'; END $$;
CREATE TRIGGER audit_checkpoints_append_only BEFORE UPDATE OR DELETE ON audit_checkpoints FOR EACH ROW EXECUTE FUNCTION audit_checkpoints_append_only();
CREATE TRIGGER audit_reviews_append_only BEFORE UPDATE OR DELETE ON audit_reviews FOR EACH ROW EXECUTE FUNCTION audit_reviews_append_only();
-- @end
