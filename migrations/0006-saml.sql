-- SAML: sessions at service providers, and the names people have there. The signing keys stand in `secrets`.
-- A sign-on is between two ministries, the person's and the application's, so these rows have no single `ministry`: they
-- are found by a session, or by application and person together.

-- What an assertion began and a logout ends. `ending` must still be told to the service provider, `told` it confirmed,
-- `untold` it did not.
CREATE TABLE saml_sessions (
    session_index TEXT PRIMARY KEY,
    application TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    person TEXT NOT NULL REFERENCES people (id),
    person_ministry TEXT NOT NULL REFERENCES ministries (id),
    logon TEXT NOT NULL,
    name_id TEXT NOT NULL,
    name_id_format TEXT NOT NULL CHECK (name_id_format IN ('persistent', 'transient', 'email_address', 'unspecified')),
    state TEXT NOT NULL CHECK (state IN ('open', 'ending', 'told', 'untold')),
    by_browser BOOLEAN NOT NULL,
    tries BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX saml_sessions_by_logon ON saml_sessions (logon, state);
CREATE INDEX saml_sessions_by_person ON saml_sessions (person) WHERE state = 'open';
CREATE INDEX saml_sessions_by_application ON saml_sessions (application, name_id);
CREATE INDEX saml_sessions_by_time ON saml_sessions (next_at) WHERE state = 'ending';
CREATE INDEX saml_sessions_by_expiry ON saml_sessions (expires_at);

-- The lasting name of a person at one service provider: random, so that two of them cannot find out that they speak of the
-- same person, and kept when the person moves to another ministry.
CREATE TABLE saml_names (
    application TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    person TEXT NOT NULL REFERENCES people (id),
    name_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (application, person)
);
CREATE UNIQUE INDEX saml_names_by_name ON saml_names (application, name_id);
