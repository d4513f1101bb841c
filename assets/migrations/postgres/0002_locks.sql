-- Who this store is to other programs: the locks that its workers set in Redis name it. A random UUID (version 4), made
-- of what every supported server has.
CREATE TABLE quarterdeck.store_identity (id bigint PRIMARY KEY CHECK (id = 1), uuid text NOT NULL);
INSERT INTO quarterdeck.store_identity VALUES (1, overlay(overlay(
    md5(random()::text || clock_timestamp()::text || random()::text)
    placing '4' from 13) placing substr('89ab', 1 + floor(random() * 4)::int, 1) from 17)::uuid::text);

-- Who has the document's lock while the job waits for it, for people; NULL when it does not.
ALTER TABLE quarterdeck.jobs ADD COLUMN lock_holder text;
-- The hold for which already_syncing was recorded last.
ALTER TABLE quarterdeck.jobs ADD COLUMN lock_value text;
