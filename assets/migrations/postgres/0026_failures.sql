-- The cause of the last failure, by which failed documents are grouped, since when the document has failed for it, and
-- when it last did. Kept until a success.
ALTER TABLE quarterdeck.document_state ADD COLUMN failure_cluster bigint, ADD COLUMN failed_since bigint,
    ADD COLUMN failed_at bigint;
-- Earlier failures have a cause of their code and status until they fail again.
UPDATE quarterdeck.document_state SET failure_cluster = 1 + 8 * coalesce(http_status, 0) + CASE error_code
    WHEN 'not_found' THEN 0 WHEN 'access_denied' THEN 1 WHEN 'content_empty' THEN 2 WHEN 'timeout' THEN 3
    WHEN 'fetch_failed' THEN 4 ELSE 5 END WHERE error_code IS NOT NULL;
CREATE INDEX state_failures ON quarterdeck.document_state (failure_cluster, host)
    INCLUDE (failed_since, failed_at, document_id) WHERE failure_cluster IS NOT NULL;
