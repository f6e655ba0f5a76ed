-- OpenID Connect: pending requests, grants, tokens, consents, logouts. The keys stand in `secrets`.
-- A sign-on is between two ministries, the person's and the application's, so these rows have no single `ministry`: they are
-- the platform's work and are found by a random secret's hash, by a session, or by application and person together.

-- What a browser or a program began and must be answered within minutes; found by the hash of its handle. Pushed requests
-- (RFC 9126), sign-ons of both protocols, log-outs, and answers that wait to be posted.
CREATE TABLE sign_on_requests (
    hash BYTEA PRIMARY KEY,
    application TEXT REFERENCES applications (id) ON DELETE CASCADE,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_on_requests_by_application ON sign_on_requests (application, created_at);
CREATE INDEX sign_on_requests_by_expiry ON sign_on_requests (expires_at);

-- What an application was given for a person: one sign-on, and all tokens that came of it. `session` is the log-on session as
-- the application knows it. Grants with `is_offline` outlive the log-on session.
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
    authenticated_at BIGINT NOT NULL,
    key_thumbprint TEXT,
    is_offline BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX sign_on_grants_by_logon ON sign_on_grants (logon) WHERE ended_at IS NULL;
CREATE INDEX sign_on_grants_by_person ON sign_on_grants (person, application);
CREATE INDEX sign_on_grants_by_application ON sign_on_grants (application);
CREATE INDEX sign_on_grants_by_expiry ON sign_on_grants (expires_at);

-- Codes and tokens: random texts, here only their SHA-256. A used code or refresh token stays, so that its re-use shows.
CREATE TABLE sign_on_tokens (
    hash BYTEA PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('code', 'access', 'refresh')),
    grant_id TEXT NOT NULL REFERENCES sign_on_grants (id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    redirect_uri TEXT,
    challenge TEXT,
    key_thumbprint TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX sign_on_tokens_by_grant ON sign_on_tokens (grant_id);
CREATE INDEX sign_on_tokens_by_expiry ON sign_on_tokens (expires_at);

-- What a person agreed an application of another ministry may know.
CREATE TABLE consents (
    person TEXT NOT NULL REFERENCES people (id),
    application TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    PRIMARY KEY (person, application)
);
CREATE INDEX consents_by_application ON consents (application);

-- Numbers of assertions and proofs that are good once.
CREATE TABLE used_proofs (
    hash BYTEA PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_proofs_by_expiry ON used_proofs (expires_at);

-- Room systems and kiosks that wait for a person (RFC 8628). A person types the user code in the portal.
CREATE TABLE sign_on_devices (
    hash BYTEA PRIMARY KEY,
    user_code_hash BYTEA NOT NULL UNIQUE,
    application TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    key_thumbprint TEXT,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'allowed', 'refused')),
    grant_id TEXT REFERENCES sign_on_grants (id) ON DELETE CASCADE,
    interval_seconds BIGINT NOT NULL,
    asked_at BIGINT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_on_devices_by_application ON sign_on_devices (application);
CREATE INDEX sign_on_devices_by_expiry ON sign_on_devices (expires_at);
CREATE INDEX sign_on_devices_by_grant ON sign_on_devices (grant_id);

-- Applications that must hear that a session is over (Back-Channel Logout 1.0), once per application and session.
CREATE TABLE sign_on_logouts (
    application TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    session TEXT NOT NULL,
    subject TEXT NOT NULL,
    tries BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (application, session)
);
CREATE INDEX sign_on_logouts_by_time ON sign_on_logouts (next_at);
