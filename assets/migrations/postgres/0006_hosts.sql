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
-- The fingerprint of the text that the validators came with: another program's text is not what they speak of.
ALTER TABLE quarterdeck.document_state ADD COLUMN validated text;
-- The whole page is wanted, whatever the server would say of it (sync --force).
ALTER TABLE quarterdeck.jobs ADD COLUMN whole boolean NOT NULL DEFAULT false;
