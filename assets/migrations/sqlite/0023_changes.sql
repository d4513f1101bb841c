-- The epoch of the store's history: the time in milliseconds since 1970 at which it began. A cursor names it, so that one from
-- before a backup was restored is refused. `is_copy` is 1 in a backup: whoever first writes to it begins a new epoch.
ALTER TABLE store_identity ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE store_identity ADD COLUMN is_copy INTEGER NOT NULL DEFAULT 0;
UPDATE store_identity SET epoch = CAST(unixepoch('subsec') * 1000 AS INTEGER);

-- Number of the outcome that last wrote the text, and of the one that first did; 0 and NULL while no outcome has.
ALTER TABLE document_state ADD COLUMN text_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE document_state ADD COLUMN first_text_seq INTEGER;
-- The `content_version` that `text_seq` is about: a higher one has been written since.
ALTER TABLE document_state ADD COLUMN text_version INTEGER NOT NULL DEFAULT 0;
-- Time at which an outcome last reported a new or changed text.
ALTER TABLE document_state ADD COLUMN text_changed_at INTEGER;
-- What the last successful sync meant for the text: the word of its outcome.
ALTER TABLE document_state ADD COLUMN last_content TEXT;
-- The `content_version` of an earlier text that a person has restored, as long as it is the stored one.
ALTER TABLE document_state ADD COLUMN restored_version INTEGER;

UPDATE document_state SET text_version = content_version;
UPDATE document_state SET text_seq = o.last, first_text_seq = o.first, text_changed_at = o.at
    FROM (SELECT document_id, max(seq) AS last, min(seq) AS first, max(at) AS at FROM outcomes
        WHERE content IN ('first', 'changed') GROUP BY document_id) o
    WHERE o.document_id = document_state.document_id;
UPDATE document_state SET last_content = (SELECT o.content FROM outcomes o
    WHERE o.document_id = document_state.document_id AND o.content IS NOT NULL ORDER BY o.seq DESC LIMIT 1);

CREATE INDEX state_text ON document_state (text_seq) WHERE text_seq > 0;
CREATE INDEX state_changed ON document_state (text_changed_at) WHERE text_changed_at IS NOT NULL;
CREATE INDEX outcomes_removed ON outcomes (seq) WHERE result = 'removed';

-- An outcome gets its number last in its transaction, after the text was written.
CREATE TRIGGER text_recorded AFTER INSERT ON outcomes WHEN NEW.content IN ('first', 'changed', 'same') BEGIN
    UPDATE document_state SET text_seq = NEW.seq, first_text_seq = coalesce(first_text_seq, NEW.seq),
        text_version = content_version,
        -- A text that another converter made of the same page is written as `same`.
        text_changed_at = CASE NEW.content WHEN 'same' THEN text_changed_at ELSE NEW.at END
        WHERE document_id = NEW.document_id AND content_version > text_version;
END;
