-- The table of Chatwoot, for those who have none: the same names, integers and metadata keys.
CREATE TABLE captain_documents (
    id bigserial PRIMARY KEY,
    name varchar(255),
    external_link text NOT NULL,
    content text,
    assistant_id bigint NOT NULL,
    account_id bigint NOT NULL,
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL,
    status integer NOT NULL DEFAULT 0,
    metadata jsonb DEFAULT '{}',
    sync_status integer,
    last_synced_at timestamp(6),
    last_sync_attempted_at timestamp(6)
);
CREATE UNIQUE INDEX idx_captain_documents_on_assistant_id_and_external_link_md5
    ON captain_documents (assistant_id, md5(external_link));
CREATE INDEX index_captain_documents_on_account_id_and_sync_status ON captain_documents (account_id, sync_status);
CREATE INDEX idx_captain_documents_on_account_assistant_sync_stats
    ON captain_documents (account_id, assistant_id, sync_status, last_synced_at);
CREATE INDEX index_captain_documents_on_assistant_id ON captain_documents (assistant_id);
CREATE INDEX index_captain_documents_on_status ON captain_documents (status);
