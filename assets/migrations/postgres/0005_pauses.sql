-- What is paused by whom and since when: everything (key ''), an account, a host, a class.
CREATE TABLE quarterdeck.pauses (
    scope text NOT NULL CHECK (scope IN ('all', 'account', 'host', 'class')),
    key text NOT NULL,
    since bigint NOT NULL,
    paused_by text NOT NULL,
    PRIMARY KEY (scope, key)
);
ALTER TABLE quarterdeck.accounts_sched DROP COLUMN paused_at;
