-- The fleet, the desktops that run on it, and what closes them.

-- One-time tokens: only the hash of the secret, gone with the first use.
CREATE TABLE enrolment_tokens (
    secret_sha256 TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('host', 'gateway')),
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Hosts and gateways. `protocols` and `load` are JSON; `relays` is what a gateway said it holds open.
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
    relays BIGINT NOT NULL,
    enrolled_at BIGINT NOT NULL,
    last_seen_at BIGINT
);
CREATE INDEX nodes_by_zone ON nodes (zone, role, state);

-- Desktop sessions. `on_host` says whether the host still had it when it last reported; `turn` is the place in the
-- order of asking.
CREATE TABLE desktops (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    ministry TEXT NOT NULL,
    zone TEXT NOT NULL,
    protocol TEXT NOT NULL CHECK (protocol IN ('rfb', 'rdp')),
    state TEXT NOT NULL CHECK (state IN ('queued', 'starting', 'running', 'disconnected', 'ended')),
    host TEXT REFERENCES nodes (id),
    on_host BOOLEAN NOT NULL,
    turn BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    polled_at BIGINT NOT NULL,
    placed_at BIGINT,
    last_seen_at BIGINT,
    missing_since BIGINT,
    ended_at BIGINT,
    end_reason TEXT,
    bytes_in BIGINT NOT NULL,
    bytes_out BIGINT NOT NULL,
    round_trip_us BIGINT
);
-- INVARIANT: a person has at most one desktop per ministry they serve, zone and protocol that has not ended.
CREATE UNIQUE INDEX desktops_one_each ON desktops (person, ministry, zone, protocol) WHERE state <> 'ended';
CREATE INDEX desktops_by_host ON desktops (host, state);
CREATE INDEX desktops_by_queue ON desktops (zone, protocol, turn) WHERE state = 'queued';
CREATE INDEX desktops_by_end ON desktops (person, ended_at);

-- One row per ticket: whose log-on it was, and the relay that was opened with it.
CREATE TABLE relays (
    ticket TEXT PRIMARY KEY,
    desktop TEXT NOT NULL,
    logon TEXT NOT NULL,
    gateway TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    opened_at BIGINT,
    last_seen_at BIGINT,
    bytes_in BIGINT NOT NULL,
    bytes_out BIGINT NOT NULL,
    closed TEXT
);
CREATE INDEX relays_by_desktop ON relays (desktop, issued_at);
CREATE INDEX relays_by_gateway ON relays (gateway, issued_at);

-- Placements of one zone take turns: whoever moves its turn holds it until commit.
CREATE TABLE placement_turns (
    zone TEXT PRIMARY KEY,
    turn BIGINT NOT NULL
);

-- What takes relays down. Sequences are taken from the head's row, so they become visible in order.
CREATE TABLE closure_head (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    sequence BIGINT NOT NULL
);
INSERT INTO closure_head (one, sequence) VALUES (1, 0);
CREATE TABLE closures (
    sequence BIGINT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('logon', 'person', 'desktop')),
    target TEXT NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX closures_by_time ON closures (at);
