-- Applications of ministries and their tiles, what people made of their portal page, notices and a ministry's look.

-- `settings` is the protocol's part as JSON; what must be found or be unique has a column. The secret is 256 random bits,
-- so a plain hash of it is enough. `group_*` is the heading its tile stands under.
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
    place BIGINT NOT NULL,
    icon TEXT NOT NULL,
    icon_png BYTEA,
    label TEXT NOT NULL CHECK (label IN ('C', 'S', 'O')),
    audience TEXT NOT NULL CHECK (audience IN ('ministry', 'platform', 'listed')),
    state TEXT NOT NULL CHECK (state IN ('active', 'paused')),
    entity_id TEXT UNIQUE,
    settings TEXT NOT NULL,
    secret_sha256 BYTEA,
    search_text TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX applications_by_name ON applications (ministry, name_ko, id);
CREATE INDEX applications_by_change ON applications (ministry, changed_at, id);
CREATE INDEX applications_for_all ON applications (audience) WHERE audience = 'platform';

-- To which other ministries an application of `ministry` is offered.
CREATE TABLE application_audiences (
    application TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    offered_to TEXT NOT NULL REFERENCES ministries (id),
    PRIMARY KEY (offered_to, application)
);
CREATE INDEX application_audiences_by_application ON application_audiences (application);

-- One row per person and tile they touched: whether it is a favourite, and when they opened it last.
CREATE TABLE tile_uses (
    ministry TEXT NOT NULL REFERENCES ministries (id),
    person TEXT NOT NULL REFERENCES people (id),
    application TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    is_favourite BOOLEAN NOT NULL,
    opened_at BIGINT,
    PRIMARY KEY (ministry, person, application)
);
CREATE INDEX tile_uses_by_application ON tile_uses (application);

CREATE TABLE ministry_looks (
    ministry TEXT PRIMARY KEY REFERENCES ministries (id),
    colour TEXT,
    logo_png BYTEA,
    changed_at BIGINT NOT NULL
);

CREATE TABLE notices (
    id TEXT PRIMARY KEY,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    title_ko TEXT NOT NULL,
    title_en TEXT NOT NULL,
    body_ko TEXT NOT NULL,
    body_en TEXT NOT NULL,
    is_urgent BOOLEAN NOT NULL,
    shown_from BIGINT NOT NULL,
    shown_until BIGINT,
    search_text TEXT NOT NULL,
    created_by TEXT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX notices_by_time ON notices (ministry, shown_from, id);

-- What a log-on proved, step ups included, and when a factor was shown last: applications are told.
ALTER TABLE logons ADD COLUMN assurance TEXT NOT NULL DEFAULT 'certificate'
    CHECK (assurance IN ('upstream', 'certificate', 'certificate_totp', 'certificate_passkey'));
ALTER TABLE logons ADD COLUMN authenticated_at BIGINT NOT NULL DEFAULT 0;
