-- Digest of the main content of the page at the last comparison. On a database of Chatwoot it decides whether a page has
-- changed, since the stored text is one of Chatwoot's converter.
ALTER TABLE document_state ADD COLUMN main_digest TEXT;
-- What wrote the stored text: 1 and 2 are generations of Chatwoot's converter, seen in a text of Chatwoot's; 0 is this
-- program. With the time of the sync that brought a text of Chatwoot's, in microseconds.
ALTER TABLE document_state ADD COLUMN generation INTEGER;
ALTER TABLE document_state ADD COLUMN generation_seen_at INTEGER;
CREATE INDEX document_state_generation ON document_state (generation_seen_at)
    WHERE generation_seen_at IS NOT NULL;
