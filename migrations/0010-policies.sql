-- Site rules and their versions.

-- A ministry's rule, in Cedar, as it is now. `has_forbid`: it refuses something, so making it weaker needs a second person.
-- `changed_by` is absent where the platform itself made it.
CREATE TABLE policies (
    id TEXT PRIMARY KEY,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    name_ko TEXT NOT NULL,
    name_en TEXT NOT NULL,
    text TEXT NOT NULL,
    has_forbid BOOLEAN NOT NULL,
    is_on BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT
);
CREATE INDEX policies_by_ministry ON policies (ministry, id);

-- As it was after each change, for good.
CREATE TABLE policy_versions (
    policy TEXT NOT NULL REFERENCES policies (id),
    version BIGINT NOT NULL,
    ministry TEXT NOT NULL REFERENCES ministries (id),
    name_ko TEXT NOT NULL,
    name_en TEXT NOT NULL,
    text TEXT NOT NULL,
    is_on BOOLEAN NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT,
    agreed_by TEXT,
    PRIMARY KEY (policy, version)
);

-- How often any rule of a ministry has changed: what portals keep in memory is good while this stays the same.
CREATE TABLE policy_sets (
    ministry TEXT PRIMARY KEY REFERENCES ministries (id),
    version BIGINT NOT NULL
);
