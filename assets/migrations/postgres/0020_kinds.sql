-- Hosts and kinds of documents that are Chatwoot's. Its tables are named in the bodies of functions alone, and read as far
-- as this role may: a view would stand in the way of Chatwoot's migrations.

-- The host and port of an ordinary http or https URL, without the scheme's default port; NULL for anything else. A pass
-- writes the exact host of each document into `document_state`; this serves the documents that no pass has read yet.
CREATE FUNCTION quarterdeck.host_of(link text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN (left($1, 8) = 'https://' OR left($1, 7) = 'http://')
            -- Most have neither a port nor a user, and need no pattern.
            AND translate(split_part($1, '/', 3), '@:?#\[', '') = split_part($1, '/', 3)
        THEN nullif(lower(split_part($1, '/', 3) COLLATE "C"), '')
        WHEN lower(left($1, 8)) = 'https://'
        THEN lower(substring($1 FROM '^.{8}(?:[^/?#\\]*@)?(\[[^\]/?#\\]*\](?::(?!443(?:[/?#\\]|$))[0-9]+)?|[^/?#\\:]+(?::(?!443(?:[/?#\\]|$))[0-9]+)?)'))
        WHEN lower(left($1, 7)) = 'http://'
        THEN lower(substring($1 FROM '^.{7}(?:[^/?#\\]*@)?(\[[^\]/?#\\]*\](?::(?!80(?:[/?#\\]|$))[0-9]+)?|[^/?#\\:]+(?::(?!80(?:[/?#\\]|$))[0-9]+)?)'))
        END
$$;

-- Those of the documents `ids`, or of all from `low` to `high` (NULL: without a limit), to which ActiveStorage has attached
-- a PDF. Nothing where there are no such tables, or where this role may not read them.
CREATE FUNCTION quarterdeck.attached_pdfs(ids bigint[], low bigint, high bigint) RETURNS SETOF bigint
    LANGUAGE plpgsql STABLE ROWS 100 AS $$
BEGIN
    IF to_regclass('active_storage_attachments') IS NULL OR to_regclass('active_storage_blobs') IS NULL THEN
        RETURN;
    END IF;
    BEGIN
        IF ids IS NOT NULL THEN
            RETURN QUERY SELECT a.record_id::bigint FROM active_storage_attachments a
                JOIN active_storage_blobs b ON b.id = a.blob_id
                WHERE a.record_type = 'Captain::Document' AND a.name = 'pdf_file' AND a.record_id = ANY(ids)
                AND b.content_type = 'application/pdf';
        ELSE
            RETURN QUERY SELECT a.record_id::bigint FROM active_storage_attachments a
                JOIN active_storage_blobs b ON b.id = a.blob_id
                WHERE a.record_type = 'Captain::Document' AND a.name = 'pdf_file'
                AND a.record_id BETWEEN coalesce(low, -9223372036854775808) AND coalesce(high, 9223372036854775807)
                AND b.content_type = 'application/pdf';
        END IF;
    -- A table or column that is missing, has another type or may not be read.
    EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
        RETURN;
    END;
END $$;

-- The next pass, which is due at once, notes the hosts and kinds; until then lists are computed.
UPDATE quarterdeck.shadow_passes SET read_at = NULL, started_at = NULL, lease_until = NULL;

-- As before, but a PDF has the status 8, and a page whose first text Chatwoot has not stored yet has 9.
CREATE OR REPLACE FUNCTION quarterdeck.shadow_facts(ids bigint[], low bigint, high bigint, now bigint)
    RETURNS SETOF quarterdeck.document_status LANGUAGE plpgsql STABLE
    SET plan_cache_mode = force_custom_plan SET enable_nestloop = on AS $$
BEGIN
    RETURN QUERY SELECT f.document_id, f.account_id, f.assistant_id,
            CASE WHEN f.until < shadow_facts.now THEN CASE f.kept WHEN 3 THEN 1::bigint ELSE 5::bigint END ELSE f.kept END,
            CASE WHEN f.until < shadow_facts.now THEN NULL ELSE f.until END,
            f.attempted_at, f.synced_at, f.next_at
        FROM (SELECT d.id AS document_id, d.account_id, d.assistant_id,
            CAST(CASE WHEN l.lock_holder IS NOT NULL THEN 2 WHEN l.state = 'running' THEN 3 WHEN l.state = 'ready' THEN 4
                WHEN l.state = 'scheduled' AND l.attempt > 0 THEN 2 WHEN d.by_kind IS NOT NULL THEN d.by_kind
                WHEN d.sync_status = 0 THEN CASE WHEN d.attempted_at IS NULL THEN 1 ELSE 3 END
                WHEN d.sync_status = 2 THEN 0 WHEN d.sync_status = 1 THEN 6 ELSE 7 END AS bigint) AS kept,
            CASE WHEN l.lock_holder IS NOT NULL OR l.state IN ('running', 'ready') OR l.attempt > 0
                OR d.by_kind IS NOT NULL THEN NULL
                WHEN d.sync_status = 0 THEN d.attempted_at + 7200000000
                WHEN d.sync_status = 1 THEN d.synced_at + c.cadence END AS until,
            d.attempted_at, d.synced_at, CASE WHEN l.state = 'scheduled' THEN l.run_at END AS next_at
        -- Each time is converted once.
        FROM (SELECT o.id, o.account_id, o.assistant_id, o.sync_status,
                CASE WHEN o.external_link LIKE 'PDF:%' OR o.external_link LIKE '%.pdf' OR o.id IN
                    (SELECT quarterdeck.attached_pdfs(shadow_facts.ids, shadow_facts.low, shadow_facts.high)) THEN 8
                    WHEN o.status <> 1 THEN 9 END AS by_kind,
                quarterdeck.micros(o.last_sync_attempted_at) AS attempted_at,
                quarterdeck.micros(o.last_synced_at) AS synced_at FROM captain_documents o
                WHERE CASE WHEN shadow_facts.ids IS NULL THEN o.id BETWEEN shadow_facts.low AND shadow_facts.high
                ELSE o.id = ANY(shadow_facts.ids) END OFFSET 0) d
        LEFT JOIN quarterdeck.jobs l ON l.document_id = d.id AND l.state IN ('scheduled', 'ready', 'running')
        LEFT JOIN quarterdeck.accounts_sched c ON c.account_id = d.account_id) f;
END $$;
