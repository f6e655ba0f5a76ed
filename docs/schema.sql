-- What all migrations make of an empty database, in SQLite's form. Written by a test.

CREATE TABLE activations (
    person TEXT PRIMARY KEY REFERENCES people (id),
    ministry TEXT NOT NULL REFERENCES ministries (id),
    hash BLOB NOT NULL,
    tries INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE alarms (
    id TEXT PRIMARY KEY,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    person TEXT,
    detail TEXT NOT NULL
) STRICT;

CREATE INDEX alarms_by_time ON alarms (ministry, id);

CREATE TABLE audit (
    stream TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('done', 'refused')),
    actor TEXT NOT NULL,
    subject TEXT NOT NULL,
    address TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (stream, sequence)
) STRICT;

CREATE INDEX audit_by_instant ON audit (at);

CREATE INDEX audit_by_time ON audit (stream, at);

CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;

CREATE TABLE audit_heads (
    stream TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE TABLE certificates (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    ministry TEXT NOT NULL REFERENCES ministries (id),
    issuer TEXT NOT NULL,
    serial TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    subject TEXT NOT NULL,
    profile TEXT NOT NULL,
    not_after INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'revoked')),
    bound_at INTEGER NOT NULL,
    revoked_at INTEGER,
    UNIQUE (profile, issuer, serial)
) STRICT;

CREATE INDEX certificates_by_person ON certificates (person);

CREATE TABLE closure_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    sequence INTEGER NOT NULL
) STRICT;

CREATE TABLE closures (
    sequence INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('logon', 'person', 'desktop')),
    target TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX closures_by_time ON closures (at);

CREATE TABLE desktops (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    ministry TEXT NOT NULL,
    zone TEXT NOT NULL,
    protocol TEXT NOT NULL CHECK (protocol IN ('rfb', 'rdp')),
    state TEXT NOT NULL CHECK (state IN ('queued', 'starting', 'running', 'disconnected', 'ended')),
    host TEXT REFERENCES nodes (id),
    on_host INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    polled_at INTEGER NOT NULL,
    placed_at INTEGER,
    last_seen_at INTEGER,
    missing_since INTEGER,
    ended_at INTEGER,
    end_reason TEXT,
    bytes_in INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    round_trip_us INTEGER
) STRICT;

CREATE INDEX desktops_by_end ON desktops (person, ended_at);

CREATE INDEX desktops_by_host ON desktops (host, state);

CREATE INDEX desktops_by_queue ON desktops (zone, protocol, turn) WHERE state = 'queued';

CREATE UNIQUE INDEX desktops_one_each ON desktops (person, zone, protocol) WHERE state <> 'ended';

CREATE TABLE enrolment_tokens (
    secret_sha256 TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('host', 'gateway')),
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE factors (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    ministry TEXT NOT NULL REFERENCES ministries (id),
    kind TEXT NOT NULL CHECK (kind IN ('passkey', 'totp')),
    name TEXT NOT NULL,
    credential TEXT UNIQUE,
    passkey TEXT,
    secret BLOB,
    last_step INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;

CREATE INDEX factors_by_person ON factors (person);

CREATE TABLE handovers (
    hash BLOB PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    ministry TEXT NOT NULL REFERENCES ministries (id),
    certificate TEXT NOT NULL REFERENCES certificates (id),
    user_agent_hash BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE logon_tokens (
    hash BLOB PRIMARY KEY,
    logon TEXT NOT NULL REFERENCES logons (id),
    created_at INTEGER NOT NULL,
    replaced_at INTEGER
) STRICT;

CREATE INDEX logon_tokens_by_logon ON logon_tokens (logon);

CREATE TABLE logons (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    ministry TEXT NOT NULL REFERENCES ministries (id),
    certificate TEXT NOT NULL REFERENCES certificates (id),
    method TEXT NOT NULL CHECK (method IN ('certificate', 'tls')),
    state TEXT NOT NULL CHECK (state IN ('first_factor', 'signed_in', 'ended')),
    is_activated INTEGER NOT NULL,
    ceremony TEXT,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    user_agent_hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    idle_expires_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    end_reason TEXT
) STRICT;

CREATE INDEX logons_by_person ON logons (person, state);

CREATE INDEX logons_ended ON logons (ended_at) WHERE state = 'ended';

CREATE INDEX logons_open ON logons (idle_expires_at) WHERE state <> 'ended';

CREATE TABLE migrations (place BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL);

CREATE TABLE ministries (
    id TEXT PRIMARY KEY,
    name_ko TEXT NOT NULL,
    name_en TEXT NOT NULL,
    agency_code TEXT NOT NULL UNIQUE,
    is_platform INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE nodes (
    id TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('host', 'gateway')),
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    zone TEXT NOT NULL,
    protocols TEXT NOT NULL,
    certificate_sha256 TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('ready', 'draining', 'removed')),
    boot TEXT NOT NULL,
    load TEXT,
    relays INTEGER NOT NULL,
    enrolled_at INTEGER NOT NULL,
    last_seen_at INTEGER
) STRICT;

CREATE INDEX nodes_by_zone ON nodes (zone, role, state);

CREATE TABLE people (
    id TEXT PRIMARY KEY,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    name TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    subject_key TEXT NOT NULL UNIQUE,
    search_text TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'locked', 'revoked')),
    locked_until INTEGER,
    failures INTEGER NOT NULL,
    failures_since INTEGER NOT NULL,
    roles TEXT NOT NULL,
    language TEXT NOT NULL,
    account TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    last_logon_at INTEGER
) STRICT;

CREATE INDEX people_by_name ON people (ministry, name, id);

CREATE TABLE placement_turns (
    zone TEXT PRIMARY KEY,
    turn INTEGER NOT NULL
) STRICT;

CREATE TABLE relays (
    ticket TEXT PRIMARY KEY,
    desktop TEXT NOT NULL,
    logon TEXT NOT NULL,
    gateway TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    opened_at INTEGER,
    last_seen_at INTEGER,
    bytes_in INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    closed TEXT
) STRICT;

CREATE INDEX relays_by_desktop ON relays (desktop, issued_at);

CREATE INDEX relays_by_gateway ON relays (gateway, issued_at);

CREATE TABLE revocation_lists (
    source TEXT PRIMARY KEY,
    list BLOB NOT NULL,
    fetched_at INTEGER NOT NULL,
    this_update INTEGER NOT NULL,
    next_update INTEGER NOT NULL
) STRICT;

CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE used_nonces (
    nonce TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX used_nonces_by_expiry ON used_nonces (expires_at);
