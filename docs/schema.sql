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

CREATE INDEX alarms_by_person ON alarms (person, id);

CREATE INDEX alarms_by_time ON alarms (ministry, id);

CREATE TABLE application_audiences (
    application TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    offered_to TEXT NOT NULL REFERENCES ministries (id),
    PRIMARY KEY (offered_to, application)
) STRICT;

CREATE INDEX application_audiences_by_application ON application_audiences (application);

CREATE TABLE applications (
    id TEXT PRIMARY KEY,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    kind TEXT NOT NULL CHECK (kind IN ('oidc', 'saml', 'link', 'desktop')),
    name_ko TEXT NOT NULL,
    name_en TEXT NOT NULL,
    description_ko TEXT NOT NULL,
    description_en TEXT NOT NULL,
    group_ko TEXT NOT NULL,
    group_en TEXT NOT NULL,
    place INTEGER NOT NULL,
    icon TEXT NOT NULL,
    icon_png BLOB,
    label TEXT NOT NULL CHECK (label IN ('C', 'S', 'O')),
    audience TEXT NOT NULL CHECK (audience IN ('ministry', 'platform', 'listed')),
    state TEXT NOT NULL CHECK (state IN ('active', 'paused')),
    entity_id TEXT UNIQUE,
    settings TEXT NOT NULL,
    secret_sha256 BLOB,
    search_text TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE INDEX applications_by_change ON applications (ministry, changed_at, id);

CREATE INDEX applications_by_name ON applications (ministry, name_ko, id);

CREATE INDEX applications_for_all ON applications (audience) WHERE audience = 'platform';

CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    about TEXT,
    summary TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'agreed', 'refused', 'withdrawn', 'expired')),
    asked_by TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    decided_by TEXT,
    decided_at INTEGER,
    note TEXT NOT NULL
) STRICT;

CREATE INDEX approvals_by_expiry ON approvals (expires_at) WHERE state = 'waiting';

CREATE INDEX approvals_by_ministry ON approvals (ministry, id);

CREATE UNIQUE INDEX approvals_waiting ON approvals (ministry, kind, subject) WHERE state = 'waiting';

CREATE TABLE attempts (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    at INTEGER NOT NULL,
    address TEXT NOT NULL,
    place_ko TEXT,
    place_en TEXT,
    latitude REAL,
    longitude REAL,
    device TEXT NOT NULL,
    is_new_device INTEGER NOT NULL,
    method TEXT NOT NULL,
    assurance TEXT,
    outcome TEXT NOT NULL
) STRICT;

CREATE INDEX attempts_by_age ON attempts (at);

CREATE INDEX attempts_by_person ON attempts (person, id);

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

CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
WHEN NOT EXISTS (SELECT 1 FROM audit_retired WHERE audit_retired.stream = OLD.stream AND audit_retired.size >= OLD.sequence)
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;

CREATE TABLE audit_checkpoints (
    stream TEXT NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    note TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (stream, size)
) STRICT;

CREATE TRIGGER audit_checkpoints_no_delete BEFORE DELETE ON audit_checkpoints
WHEN NOT EXISTS (SELECT 1 FROM audit_retired WHERE audit_retired.stream = OLD.stream AND audit_retired.size > OLD.size)
BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;

CREATE TRIGGER audit_checkpoints_no_update BEFORE UPDATE ON audit_checkpoints BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;

CREATE TABLE audit_deliveries (
    witness TEXT NOT NULL,
    stream TEXT NOT NULL,
    size INTEGER NOT NULL,
    delivered_at INTEGER,
    tried_at INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    problem TEXT NOT NULL,
    cosignature TEXT NOT NULL,
    PRIMARY KEY (witness, stream)
) STRICT;

CREATE TABLE audit_heads (
    stream TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;

CREATE TABLE audit_nodes (
    stream TEXT NOT NULL,
    level INTEGER NOT NULL,
    place INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (stream, level, place)
) STRICT;

CREATE TABLE audit_personal (
    stream TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    hash TEXT NOT NULL,
    person TEXT NOT NULL,
    salt BLOB NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (stream, sequence, hash)
) STRICT;

CREATE INDEX audit_personal_by_person ON audit_personal (person);

CREATE TABLE audit_retired (
    stream TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    hash BLOB NOT NULL,
    frontier BLOB NOT NULL,
    note TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE audit_reviews (
    stream TEXT NOT NULL,
    month TEXT NOT NULL,
    person TEXT NOT NULL,
    note TEXT NOT NULL,
    counts TEXT NOT NULL,
    size INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (stream, month)
) STRICT;

CREATE TRIGGER audit_reviews_no_delete BEFORE DELETE ON audit_reviews BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;

CREATE TRIGGER audit_reviews_no_update BEFORE UPDATE ON audit_reviews BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END;

CREATE TABLE audit_trees (
    stream TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    frontier BLOB NOT NULL,
    at INTEGER NOT NULL
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

CREATE TABLE consents (
    person TEXT NOT NULL REFERENCES people (id),
    application TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    PRIMARY KEY (person, application)
) STRICT;

CREATE INDEX consents_by_application ON consents (application);

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

CREATE UNIQUE INDEX desktops_one_each ON desktops (person, ministry, zone, protocol) WHERE state <> 'ended';

CREATE TABLE devices (
    person TEXT NOT NULL REFERENCES people (id),
    hash BLOB NOT NULL,
    failures INTEGER NOT NULL,
    failures_since INTEGER NOT NULL,
    locked_until INTEGER,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (person, hash)
) STRICT;

CREATE INDEX devices_by_age ON devices (last_seen_at);

CREATE INDEX devices_by_hash ON devices (hash);

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

CREATE TABLE group_members (
    member_group TEXT NOT NULL REFERENCES groups_of_people (id),
    person TEXT NOT NULL REFERENCES people (id),
    ministry TEXT NOT NULL REFERENCES ministries (id),
    PRIMARY KEY (member_group, person)
) STRICT;

CREATE INDEX group_members_by_person ON group_members (person, ministry);

CREATE TABLE groups_of_people (
    id TEXT PRIMARY KEY,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    name TEXT NOT NULL,
    search_text TEXT NOT NULL,
    external_id TEXT,
    managed_by TEXT NOT NULL CHECK (managed_by IN ('hand', 'scim')),
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    UNIQUE (ministry, name)
) STRICT;

CREATE UNIQUE INDEX groups_by_external ON groups_of_people (ministry, external_id) WHERE external_id IS NOT NULL;

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
, assurance TEXT NOT NULL DEFAULT 'certificate'
    CHECK (assurance IN ('upstream', 'certificate', 'certificate_totp', 'certificate_passkey')), authenticated_at INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE INDEX logons_by_person ON logons (person, state);

CREATE INDEX logons_ended ON logons (ended_at) WHERE state = 'ended';

CREATE INDEX logons_open ON logons (idle_expires_at) WHERE state <> 'ended';

CREATE TABLE memberships (
    person TEXT NOT NULL REFERENCES people (id),
    ministry TEXT NOT NULL REFERENCES ministries (id),
    name TEXT NOT NULL,
    search_text TEXT NOT NULL,
    unit TEXT NOT NULL,
    email TEXT,
    external_id TEXT,
    account TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('active', 'ended')),
    is_home INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (person, ministry)
) STRICT;

CREATE INDEX memberships_by_age ON memberships (ministry, created_at, person);

CREATE INDEX memberships_by_change ON memberships (ministry, changed_at, person);

CREATE UNIQUE INDEX memberships_by_external ON memberships (ministry, external_id) WHERE external_id IS NOT NULL;

CREATE INDEX memberships_by_name ON memberships (ministry, name, person);

CREATE INDEX memberships_by_unit ON memberships (ministry, unit, person);

CREATE UNIQUE INDEX memberships_one_home ON memberships (person) WHERE is_home;

CREATE TABLE migrations (place BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL);

CREATE TABLE ministries (
    id TEXT PRIMARY KEY,
    name_ko TEXT NOT NULL,
    name_en TEXT NOT NULL,
    agency_code TEXT NOT NULL UNIQUE,
    is_platform INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX ministries_by_name ON ministries (name_ko, id);

CREATE TABLE ministry_looks (
    ministry TEXT PRIMARY KEY REFERENCES ministries (id),
    colour TEXT,
    logo_png BLOB,
    changed_at INTEGER NOT NULL
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

CREATE TABLE notices (
    id TEXT PRIMARY KEY,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    title_ko TEXT NOT NULL,
    title_en TEXT NOT NULL,
    body_ko TEXT NOT NULL,
    body_en TEXT NOT NULL,
    is_urgent INTEGER NOT NULL,
    shown_from INTEGER NOT NULL,
    shown_until INTEGER,
    search_text TEXT NOT NULL,
    created_by TEXT,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE INDEX notices_by_time ON notices (ministry, shown_from, id);

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
    language TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_logon_at INTEGER
) STRICT;

CREATE TABLE placement_turns (
    zone TEXT PRIMARY KEY,
    turn INTEGER NOT NULL
) STRICT;

CREATE TABLE policies (
    id TEXT PRIMARY KEY,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    name_ko TEXT NOT NULL,
    name_en TEXT NOT NULL,
    text TEXT NOT NULL,
    has_forbid INTEGER NOT NULL,
    is_on INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT
) STRICT;

CREATE INDEX policies_by_ministry ON policies (ministry, id);

CREATE TABLE policy_sets (
    ministry TEXT PRIMARY KEY REFERENCES ministries (id),
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE policy_versions (
    policy TEXT NOT NULL REFERENCES policies (id),
    version INTEGER NOT NULL,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    name_ko TEXT NOT NULL,
    name_en TEXT NOT NULL,
    text TEXT NOT NULL,
    is_on INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT,
    agreed_by TEXT,
    PRIMARY KEY (policy, version)
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

CREATE TABLE role_grants (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    ministry TEXT NOT NULL REFERENCES ministries (id),
    role TEXT NOT NULL CHECK (role IN ('worker', 'ministry_admin', 'operator', 'auditor')),
    within TEXT NOT NULL CHECK (within IN ('ministry', 'unit', 'centre')),
    scope TEXT NOT NULL,
    expires_at INTEGER,
    granted_by TEXT NOT NULL,
    approved_by TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (person, ministry, role, within, scope)
) STRICT;

CREATE INDEX role_grants_by_expiry ON role_grants (expires_at) WHERE expires_at IS NOT NULL;

CREATE INDEX role_grants_by_ministry ON role_grants (ministry, id);

CREATE INDEX role_grants_by_role ON role_grants (ministry, role, id);

CREATE TABLE saml_names (
    application TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    person TEXT NOT NULL REFERENCES people (id),
    name_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (application, person)
) STRICT;

CREATE UNIQUE INDEX saml_names_by_name ON saml_names (application, name_id);

CREATE TABLE saml_sessions (
    session_index TEXT PRIMARY KEY,
    application TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    person TEXT NOT NULL REFERENCES people (id),
    person_ministry TEXT NOT NULL REFERENCES ministries (id),
    logon TEXT NOT NULL,
    name_id TEXT NOT NULL,
    name_id_format TEXT NOT NULL CHECK (name_id_format IN ('persistent', 'transient', 'email_address', 'unspecified')),
    state TEXT NOT NULL CHECK (state IN ('open', 'ending', 'told', 'untold')),
    by_browser INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX saml_sessions_by_application ON saml_sessions (application, name_id);

CREATE INDEX saml_sessions_by_expiry ON saml_sessions (expires_at);

CREATE INDEX saml_sessions_by_logon ON saml_sessions (logon, state);

CREATE INDEX saml_sessions_by_person ON saml_sessions (person) WHERE state = 'open';

CREATE INDEX saml_sessions_by_time ON saml_sessions (next_at) WHERE state = 'ending';

CREATE TABLE scim_tokens (
    id TEXT PRIMARY KEY,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    access TEXT NOT NULL CHECK (access IN ('read', 'write')),
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;

CREATE INDEX scim_tokens_by_ministry ON scim_tokens (ministry, id);

CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sign_on_devices (
    hash BLOB PRIMARY KEY,
    user_code_hash BLOB NOT NULL UNIQUE,
    application TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    key_thumbprint TEXT,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'allowed', 'refused')),
    grant_id TEXT REFERENCES sign_on_grants (id) ON DELETE CASCADE,
    interval_seconds INTEGER NOT NULL,
    asked_at INTEGER,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX sign_on_devices_by_application ON sign_on_devices (application);

CREATE INDEX sign_on_devices_by_expiry ON sign_on_devices (expires_at);

CREATE INDEX sign_on_devices_by_grant ON sign_on_devices (grant_id);

CREATE TABLE sign_on_grants (
    id TEXT PRIMARY KEY,
    application TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    owner_ministry TEXT NOT NULL REFERENCES ministries (id),
    person TEXT NOT NULL REFERENCES people (id),
    person_ministry TEXT NOT NULL REFERENCES ministries (id),
    logon TEXT NOT NULL,
    subject TEXT NOT NULL,
    session TEXT NOT NULL,
    scopes TEXT NOT NULL,
    claims TEXT NOT NULL,
    nonce TEXT,
    assurance TEXT NOT NULL,
    methods TEXT NOT NULL,
    authenticated_at INTEGER NOT NULL,
    key_thumbprint TEXT,
    is_offline INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;

CREATE INDEX sign_on_grants_by_application ON sign_on_grants (application);

CREATE INDEX sign_on_grants_by_expiry ON sign_on_grants (expires_at);

CREATE INDEX sign_on_grants_by_logon ON sign_on_grants (logon) WHERE ended_at IS NULL;

CREATE INDEX sign_on_grants_by_person ON sign_on_grants (person, application);

CREATE TABLE sign_on_logouts (
    application TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    session TEXT NOT NULL,
    subject TEXT NOT NULL,
    tries INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (application, session)
) STRICT;

CREATE INDEX sign_on_logouts_by_time ON sign_on_logouts (next_at);

CREATE TABLE sign_on_requests (
    hash BLOB PRIMARY KEY,
    application TEXT REFERENCES applications (id) ON DELETE CASCADE,
    payload TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX sign_on_requests_by_application ON sign_on_requests (application, created_at);

CREATE INDEX sign_on_requests_by_expiry ON sign_on_requests (expires_at);

CREATE TABLE sign_on_tokens (
    hash BLOB PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('code', 'access', 'refresh')),
    grant_id TEXT NOT NULL REFERENCES sign_on_grants (id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    redirect_uri TEXT,
    challenge TEXT,
    key_thumbprint TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;

CREATE INDEX sign_on_tokens_by_expiry ON sign_on_tokens (expires_at);

CREATE INDEX sign_on_tokens_by_grant ON sign_on_tokens (grant_id);

CREATE TABLE tile_uses (
    ministry TEXT NOT NULL REFERENCES ministries (id),
    person TEXT NOT NULL REFERENCES people (id),
    application TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    is_favourite INTEGER NOT NULL,
    opened_at INTEGER,
    PRIMARY KEY (ministry, person, application)
) STRICT;

CREATE INDEX tile_uses_by_application ON tile_uses (application);

CREATE TABLE used_nonces (
    nonce TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX used_nonces_by_expiry ON used_nonces (expires_at);

CREATE TABLE used_proofs (
    hash BLOB PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX used_proofs_by_expiry ON used_proofs (expires_at);

CREATE TABLE witnessed_checkpoints (
    origin TEXT NOT NULL,
    size INTEGER NOT NULL,
    note TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (origin, size)
) STRICT;

CREATE TABLE witnessed_logs (
    origin TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT;
