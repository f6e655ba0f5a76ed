-- The two-person rule: what one person asked, and what became of it.

-- `ministry` is whose administrators decide. `kind` names what happens on agreement, `payload` is what that needs;
-- `summary` is what people are shown. Both are JSON.
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
    asked_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    decided_by TEXT,
    decided_at BIGINT,
    note TEXT NOT NULL
);
CREATE INDEX approvals_by_ministry ON approvals (ministry, id);
-- INVARIANT: the same thing is asked once at a time.
CREATE UNIQUE INDEX approvals_waiting ON approvals (ministry, kind, subject) WHERE state = 'waiting';
CREATE INDEX approvals_by_expiry ON approvals (expires_at) WHERE state = 'waiting';
