-- What people see of their own log-ons, and browsers they are known by.

-- Both are a person's own, wherever they serve: chosen by the person alone, so no ministry stands here and they stay when
-- the person moves to another.

-- Every attempt to log on of which it is known whose it was; one year. `place` is what the site calls the network it came
-- from. `outcome` is `first_factor`, `signed_in` or the code of a refusal.
CREATE TABLE attempts (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    at BIGINT NOT NULL,
    address TEXT NOT NULL,
    place_ko TEXT,
    place_en TEXT,
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    device TEXT NOT NULL,
    is_new_device BOOLEAN NOT NULL,
    method TEXT NOT NULL,
    assurance TEXT,
    outcome TEXT NOT NULL
);
CREATE INDEX attempts_by_person ON attempts (person, id);
CREATE INDEX attempts_by_age ON attempts (at);

-- Browsers in which a person signed in: the hash of the cookie each keeps. Failures are counted for each by itself, so that
-- who guesses elsewhere does not lock the person out of their own.
CREATE TABLE devices (
    person TEXT NOT NULL REFERENCES people (id),
    hash BYTEA NOT NULL,
    failures BIGINT NOT NULL,
    failures_since BIGINT NOT NULL,
    locked_until BIGINT,
    first_seen_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    PRIMARY KEY (person, hash)
);
CREATE INDEX devices_by_hash ON devices (hash);
CREATE INDEX devices_by_age ON devices (last_seen_at);

CREATE INDEX alarms_by_person ON alarms (person, id);
