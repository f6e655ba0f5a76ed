-- Identity: ministries, their people, what proves who someone is, and who is logged on.
-- The ministry stands on every row that belongs to one, so that no query needs to trust a join for it.

CREATE TABLE ministries (
    id TEXT PRIMARY KEY,
    name_ko TEXT NOT NULL,
    name_en TEXT NOT NULL,
    agency_code TEXT NOT NULL UNIQUE,
    is_platform BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

-- `subject_key` is the certificate subject, folded: log-on finds the person by it. `ministry` is their home; the others
-- they serve, and what they may there, stand in `memberships` and `role_grants`.
CREATE TABLE people (
    id TEXT PRIMARY KEY,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    name TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    subject_key TEXT NOT NULL UNIQUE,
    search_text TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'locked', 'revoked')),
    locked_until BIGINT,
    failures BIGINT NOT NULL,
    failures_since BIGINT NOT NULL,
    language TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_logon_at BIGINT
);

-- Bound to the person at the first log-on with it. Issuer and serial are its identity, never a hash of its bytes.
CREATE TABLE certificates (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    ministry TEXT NOT NULL REFERENCES ministries (id),
    issuer TEXT NOT NULL,
    serial TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    subject TEXT NOT NULL,
    profile TEXT NOT NULL,
    not_after BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'revoked')),
    bound_at BIGINT NOT NULL,
    revoked_at BIGINT,
    UNIQUE (profile, issuer, serial)
);
CREATE INDEX certificates_by_person ON certificates (person);

-- `passkey` is the public part of a WebAuthn credential; `secret` the TOTP key, sealed. `last_step` is the TOTP step that
-- was used last: none at or before it is taken again.
CREATE TABLE factors (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    ministry TEXT NOT NULL REFERENCES ministries (id),
    kind TEXT NOT NULL CHECK (kind IN ('passkey', 'totp')),
    name TEXT NOT NULL,
    credential TEXT UNIQUE,
    passkey TEXT,
    secret BYTEA,
    last_step BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
);
CREATE INDEX factors_by_person ON factors (person);

-- At most one code per person; only a keyed hash of it.
CREATE TABLE activations (
    person TEXT PRIMARY KEY REFERENCES people (id),
    ministry TEXT NOT NULL REFERENCES ministries (id),
    hash BYTEA NOT NULL,
    tries BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- `idle_expires_at` is never after `expires_at`, so one column tells when a session ends by time.
CREATE TABLE logons (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    ministry TEXT NOT NULL REFERENCES ministries (id),
    certificate TEXT NOT NULL REFERENCES certificates (id),
    method TEXT NOT NULL CHECK (method IN ('certificate', 'tls')),
    state TEXT NOT NULL CHECK (state IN ('first_factor', 'signed_in', 'ended')),
    is_activated BOOLEAN NOT NULL,
    ceremony TEXT,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    user_agent_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    idle_expires_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    end_reason TEXT
);
CREATE INDEX logons_by_person ON logons (person, state);
CREATE INDEX logons_open ON logons (idle_expires_at) WHERE state <> 'ended';
CREATE INDEX logons_ended ON logons (ended_at) WHERE state = 'ended';

-- What the cookie of a session may be: the newest token, and those it replaced, so that their reuse shows.
CREATE TABLE logon_tokens (
    hash BYTEA PRIMARY KEY,
    logon TEXT NOT NULL REFERENCES logons (id),
    created_at BIGINT NOT NULL,
    replaced_at BIGINT
);
CREATE INDEX logon_tokens_by_logon ON logon_tokens (logon);

-- From the certificate door to the main one: good once, for a minute.
CREATE TABLE handovers (
    hash BYTEA PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    ministry TEXT NOT NULL REFERENCES ministries (id),
    certificate TEXT NOT NULL REFERENCES certificates (id),
    user_agent_hash BYTEA NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE used_nonces (
    nonce TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_nonces_by_expiry ON used_nonces (expires_at);

-- The newest list of each source, as its authority signed it.
CREATE TABLE revocation_lists (
    source TEXT PRIMARY KEY,
    list BYTEA NOT NULL,
    fetched_at BIGINT NOT NULL,
    this_update BIGINT NOT NULL,
    next_update BIGINT NOT NULL
);

CREATE TABLE alarms (
    id TEXT PRIMARY KEY,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    person TEXT,
    detail TEXT NOT NULL
);
CREATE INDEX alarms_by_time ON alarms (ministry, id);
