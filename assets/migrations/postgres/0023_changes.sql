-- The epoch of the store's history: the time in seconds since 1970 at which it began. A cursor names it, so that one from
-- before a backup was restored is refused. PostgreSQL's tools restore a backup into new tables: then `made_as`, the
-- identity of the table of outcomes at the start of the epoch, differs from its present one, which is added to the epoch.
ALTER TABLE quarterdeck.store_identity ADD COLUMN epoch bigint NOT NULL DEFAULT 0,
    ADD COLUMN made_as bigint NOT NULL DEFAULT 0;
UPDATE quarterdeck.store_identity SET epoch = extract(epoch FROM now())::bigint,
    made_as = 'quarterdeck.outcomes'::regclass::oid::bigint;

-- Number of the outcome that last wrote the text, and of the one that first did; 0 and NULL while no outcome has.
-- `text_version` is the `content_version` that `text_seq` is about: a higher one has been written since. `text_print` is
-- the fingerprint at that time, since Chatwoot writes texts, too. `text_changed_at` is the time at which an outcome last
-- reported a new or changed text. `last_content` is what the last successful sync meant for the text: the word of its
-- outcome. `restored_version` is the `content_version` of an earlier text that a person has restored, as long as it is the
-- stored one.
ALTER TABLE quarterdeck.document_state ADD COLUMN text_seq bigint NOT NULL DEFAULT 0, ADD COLUMN first_text_seq bigint,
    ADD COLUMN text_version bigint NOT NULL DEFAULT 0, ADD COLUMN text_print text,
    ADD COLUMN text_changed_at bigint, ADD COLUMN last_content text,
    ADD COLUMN restored_version bigint;

UPDATE quarterdeck.document_state s SET text_version = s.content_version, text_seq = coalesce(o.last, 0),
    first_text_seq = o.first, text_changed_at = o.at, text_print = CASE WHEN o.last IS NOT NULL THEN s.validated END,
    last_content = (SELECT l.content FROM quarterdeck.outcomes l
        WHERE l.document_id = s.document_id AND l.content IS NOT NULL ORDER BY l.seq DESC LIMIT 1)
    FROM quarterdeck.document_state m LEFT JOIN (SELECT document_id, max(seq) AS last, min(seq) AS first, max(at) AS at
        FROM quarterdeck.outcomes WHERE content IN ('first', 'changed') GROUP BY document_id) o
        ON o.document_id = m.document_id
    WHERE m.document_id = s.document_id;

CREATE INDEX state_text ON quarterdeck.document_state (text_seq) WHERE text_seq > 0;
CREATE INDEX state_changed ON quarterdeck.document_state (text_changed_at) WHERE text_changed_at IS NOT NULL;
CREATE INDEX outcomes_removed ON quarterdeck.outcomes (seq) WHERE result = 'removed';

-- Numbers the texts that the outcomes of one statement are about, after everything else in it was written. A text that
-- another converter made of the same page is written as `same`; so is what a sync finds of a text that Chatwoot wrote,
-- which counts as a change from then on.
CREATE FUNCTION quarterdeck.number_texts() RETURNS trigger LANGUAGE plpgsql
    SET plan_cache_mode = force_custom_plan SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    UPDATE quarterdeck.document_state s SET text_seq = n.seq, first_text_seq = coalesce(s.first_text_seq, n.seq),
        text_version = s.content_version, text_print = d.metadata ->> 'content_fingerprint',
        text_changed_at = CASE WHEN n.content IN ('first', 'changed') OR s.content_version = s.text_version THEN n.at
            ELSE s.text_changed_at END
        FROM (SELECT DISTINCT ON (a.document_id) a.document_id, a.seq, a.at, a.content FROM added a
            WHERE a.content IN ('first', 'changed', 'same', 'not_modified', 'identical')
            ORDER BY a.document_id, a.seq DESC) n
        JOIN captain_documents d ON d.id = n.document_id
        WHERE s.document_id = n.document_id AND d.content IS NOT NULL AND (s.content_version > s.text_version
            OR s.text_print IS DISTINCT FROM d.metadata ->> 'content_fingerprint');
    RETURN NULL;
END $$;
CREATE TRIGGER texts_recorded AFTER INSERT ON quarterdeck.outcomes REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.number_texts();
