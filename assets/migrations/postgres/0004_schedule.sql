-- What an account's plan gives it, as the scheduler read it last; NULL: not known, or no cadence (microseconds).
ALTER TABLE quarterdeck.accounts_sched ADD COLUMN plan text;
ALTER TABLE quarterdeck.accounts_sched ADD COLUMN cadence bigint;
-- Running jobs of the account, over all workers; NULL: no cap of its own.
ALTER TABLE quarterdeck.accounts_sched ADD COLUMN max_running bigint;

-- One scheduler acts at a time, and the next pass goes on after the account that was served last.
CREATE TABLE quarterdeck.scheduler (
    id bigint PRIMARY KEY CHECK (id = 1),
    holder text,
    held_until bigint NOT NULL,
    last_account bigint NOT NULL,
    passed_at bigint
);
INSERT INTO quarterdeck.scheduler VALUES (1, NULL, 0, 0, NULL);

-- Permanent failures in a row: the distance to the next look grows with them.
ALTER TABLE quarterdeck.document_state ADD COLUMN failures bigint NOT NULL DEFAULT 0;
-- The link for which it was said that it is no page's address; told once, until the link is another.
ALTER TABLE quarterdeck.document_state ADD COLUMN unfit_link text;
