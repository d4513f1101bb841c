-- What is known of a host beyond its documents: until when it is left alone, and why.
CREATE TABLE quarterdeck.hosts_sched (
    host text PRIMARY KEY,
    -- Nothing of this host is claimed before.
    held_until bigint,
    -- In plain language, for people.
    held_because text,
    -- When the last request to it began, for spacing.
    asked_at bigint
) WITH (fillfactor = 70);
-- When the page was last fetched whole, whatever its validators said.
ALTER TABLE quarterdeck.document_state ADD COLUMN fetched_whole_at bigint;
-- The console's jobs view reads the first ready jobs in the order of a claim.
CREATE INDEX jobs_order ON quarterdeck.jobs (class, vtime, id) WHERE state = 'ready';
