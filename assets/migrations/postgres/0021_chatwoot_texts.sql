-- Digest of the main content of the page at the last comparison. On a database of Chatwoot it decides whether a page has
-- changed, since the stored text is one of Chatwoot's converter.
ALTER TABLE quarterdeck.document_state ADD COLUMN main_digest text;
-- What wrote the stored text: 1 and 2 are generations of Chatwoot's converter, seen in a text of Chatwoot's; 0 is this
-- program. With the time of the sync that brought a text of Chatwoot's, in microseconds.
ALTER TABLE quarterdeck.document_state ADD COLUMN generation bigint;
ALTER TABLE quarterdeck.document_state ADD COLUMN generation_seen_at bigint;
CREATE INDEX document_state_generation ON quarterdeck.document_state (generation_seen_at)
    WHERE generation_seen_at IS NOT NULL;
