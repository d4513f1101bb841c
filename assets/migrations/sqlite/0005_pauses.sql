-- What is paused by whom and since when: everything (key ''), an account, a host, a class.
CREATE TABLE IF NOT EXISTS pauses (
    scope TEXT NOT NULL CHECK (scope IN ('all', 'account', 'host', 'class')),
    key TEXT NOT NULL,
    since INTEGER NOT NULL,
    paused_by TEXT NOT NULL,
    PRIMARY KEY (scope, key)
) WITHOUT ROWID;
ALTER TABLE accounts_sched DROP COLUMN paused_at;
