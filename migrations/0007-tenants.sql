-- Ministries as tenants: memberships, units, groups, role grants, tokens of SCIM clients.

-- A person as one ministry knows them; everyone has one in their home. `name` and `search_text` are the person's, kept
-- here so that lists need no join to search and to sort. `unit` is names from the ministry down with `/` between.
-- `account` is the POSIX login name on hosts: another in each ministry, so that two never share a home directory.
-- `version` counts changes (ETags). An ended one stays for the history.
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
    is_home BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (person, ministry)
);
CREATE UNIQUE INDEX memberships_one_home ON memberships (person) WHERE is_home;
CREATE UNIQUE INDEX memberships_by_external ON memberships (ministry, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX memberships_by_name ON memberships (ministry, name, person);
CREATE INDEX memberships_by_unit ON memberships (ministry, unit, person);
CREATE INDEX memberships_by_age ON memberships (ministry, created_at, person);
CREATE INDEX memberships_by_change ON memberships (ministry, changed_at, person);

-- What a person may be in a ministry, where in it, and until when. `approved_by` is the second administrator; absent for
-- the role of a worker and for what the platform gave.
CREATE TABLE role_grants (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    ministry TEXT NOT NULL REFERENCES ministries (id),
    role TEXT NOT NULL CHECK (role IN ('worker', 'ministry_admin', 'operator', 'auditor')),
    within TEXT NOT NULL CHECK (within IN ('ministry', 'unit', 'centre')),
    scope TEXT NOT NULL,
    expires_at BIGINT,
    granted_by TEXT NOT NULL,
    approved_by TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (person, ministry, role, within, scope)
);
CREATE INDEX role_grants_by_role ON role_grants (ministry, role, id);
CREATE INDEX role_grants_by_ministry ON role_grants (ministry, id);
CREATE INDEX role_grants_by_expiry ON role_grants (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE groups_of_people (
    id TEXT PRIMARY KEY,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    name TEXT NOT NULL,
    search_text TEXT NOT NULL,
    external_id TEXT,
    managed_by TEXT NOT NULL CHECK (managed_by IN ('hand', 'scim')),
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (ministry, name)
);
CREATE UNIQUE INDEX groups_by_external ON groups_of_people (ministry, external_id) WHERE external_id IS NOT NULL;

CREATE TABLE group_members (
    member_group TEXT NOT NULL REFERENCES groups_of_people (id),
    person TEXT NOT NULL REFERENCES people (id),
    ministry TEXT NOT NULL REFERENCES ministries (id),
    PRIMARY KEY (member_group, person)
);
CREATE INDEX group_members_by_person ON group_members (person, ministry);

-- What a ministry's directory proves itself with. 256 random bits, so a plain hash is enough.
CREATE TABLE scim_tokens (
    id TEXT PRIMARY KEY,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    name TEXT NOT NULL,
    hash BYTEA NOT NULL UNIQUE,
    access TEXT NOT NULL CHECK (access IN ('read', 'write')),
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used_at BIGINT
);
CREATE INDEX scim_tokens_by_ministry ON scim_tokens (ministry, id);

-- Lists of ministries, by name.
CREATE INDEX ministries_by_name ON ministries (name_ko, id);

-- @postgres
-- A ministry sees the people who serve it, wherever their home is; it changes its own only.
ALTER TABLE people ENABLE ROW LEVEL SECURITY;
ALTER TABLE people FORCE ROW LEVEL SECURITY;
CREATE POLICY ministry_reads ON people FOR SELECT USING (ministry = (SELECT current_setting('naru.ministry', true))
    OR (SELECT current_setting('naru.ministry', true)) = '*'
    OR EXISTS (SELECT 1 FROM memberships m WHERE m.person = people.id AND m.ministry = (SELECT current_setting('naru.ministry', true))));
CREATE POLICY ministry_inserts ON people FOR INSERT WITH CHECK (ministry = (SELECT current_setting('naru.ministry', true))
    OR (SELECT current_setting('naru.ministry', true)) = '*');
CREATE POLICY ministry_updates ON people FOR UPDATE USING (ministry = (SELECT current_setting('naru.ministry', true))
    OR (SELECT current_setting('naru.ministry', true)) = '*')
    WITH CHECK (ministry = (SELECT current_setting('naru.ministry', true))
    OR (SELECT current_setting('naru.ministry', true)) = '*');
CREATE POLICY ministry_deletes ON people FOR DELETE USING (ministry = (SELECT current_setting('naru.ministry', true))
    OR (SELECT current_setting('naru.ministry', true)) = '*');
-- @end
