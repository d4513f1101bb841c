-- FAQs of documents that are Chatwoot's: which documents have none, or older ones than their text, and the FAQ jobs that
-- somebody asked for. Chatwoot's table of answers is named in the bodies of functions alone, and read as far as this role
-- may.

-- Time at which this program last stored a text that differs from the one before it, in microseconds; NULL while another
-- program's text is stored.
ALTER TABLE quarterdeck.document_state ADD COLUMN text_at bigint;
UPDATE quarterdeck.document_state s SET text_at = o.at
    FROM (SELECT document_id, max(at) AS at FROM quarterdeck.outcomes WHERE content IN ('first', 'changed') GROUP BY 1) o
    WHERE o.document_id = s.document_id AND s.validated IS NOT NULL AND coalesce(s.generation, 0) = 0;

-- What is known of the FAQs of a document, as a pass has found it. `state` is 0 for none, 1 stale, 2 ok, 3 unknown.
CREATE TABLE quarterdeck.document_faqs (
    document_id bigint PRIMARY KEY,
    state bigint NOT NULL,
    faqs bigint NOT NULL,
    -- Time of the newest one, in microseconds.
    newest_at bigint
);
CREATE INDEX faqs_state ON quarterdeck.document_faqs (state, document_id);
-- Start of the last complete pass that could read the answers; NULL while they cannot be read. With the highest id of an
-- answer at that time.
ALTER TABLE quarterdeck.shadow_passes ADD COLUMN faqs_read_at bigint, ADD COLUMN last_answer bigint;
UPDATE quarterdeck.shadow_passes SET started_at = NULL, lease_until = NULL;

-- The last FAQ job that somebody asked for, by document. Forgotten once Redis has forgotten the job's id.
CREATE TABLE quarterdeck.faq_jobs (
    document_id bigint PRIMARY KEY,
    -- Id of the job in Sidekiq, and key of its message in the outbox.
    key text NOT NULL,
    started_at bigint NOT NULL,
    requested_by text NOT NULL
);
-- The messages about a document that wait to be delivered.
CREATE INDEX outbox_faqs ON quarterdeck.outbox ((CAST(CAST(payload AS jsonb) ->> 'document_id' AS bigint)))
    WHERE subscriber = 'chatwoot_faq';

-- The state of the FAQs of a document: `text_at` is the time of its text, NULL if this program has not stored it.
CREATE FUNCTION quarterdeck.faq_state(faqs bigint, newest_at bigint, text_at bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN coalesce($1, 0) = 0 THEN 0::bigint WHEN $3 IS NULL OR $2 IS NULL THEN 3::bigint
        WHEN $2 < $3 THEN 1::bigint ELSE 2::bigint END
$$;

-- Numbers of answers of the documents `ids`, or of all from `low` to `high` (NULL: without a limit), and the time of the
-- newest one. Documents without answers are left out. `edited` is NULL if this Chatwoot does not note what people have
-- edited. One row without a document, and no other, if the answers cannot be read.
CREATE FUNCTION quarterdeck.faqs_of(ids bigint[], low bigint, high bigint)
    RETURNS TABLE (document bigint, faqs bigint, pending bigint, edited bigint, newest_at bigint)
    LANGUAGE plpgsql STABLE ROWS 1000 SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    IF to_regclass('captain_assistant_responses') IS NULL THEN
        document := NULL;
        RETURN NEXT;
        RETURN;
    END IF;
    BEGIN
        IF ids IS NOT NULL THEN
            RETURN QUERY SELECT a.documentable_id::bigint, count(*), count(*) FILTER (WHERE a.status = 0),
                count(*) FILTER (WHERE a.edited), quarterdeck.micros(max(a.created_at))
                FROM captain_assistant_responses a WHERE a.documentable_type = 'Captain::Document'
                AND a.documentable_id = ANY(ids) GROUP BY 1;
        ELSE
            RETURN QUERY SELECT a.documentable_id::bigint, count(*), count(*) FILTER (WHERE a.status = 0),
                count(*) FILTER (WHERE a.edited), quarterdeck.micros(max(a.created_at))
                FROM captain_assistant_responses a WHERE a.documentable_type = 'Captain::Document'
                AND a.documentable_id BETWEEN coalesce(low, -9223372036854775808) AND coalesce(high, 9223372036854775807)
                GROUP BY 1;
        END IF;
        RETURN;
    -- A table or column that is missing, has another type or may not be read.
    EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
        NULL;
    END;
    -- Earlier versions of Chatwoot have no column `edited`.
    BEGIN
        RETURN QUERY SELECT a.documentable_id::bigint, count(*), count(*) FILTER (WHERE a.status = 0),
            NULL::bigint, quarterdeck.micros(max(a.created_at))
            FROM captain_assistant_responses a WHERE a.documentable_type = 'Captain::Document'
            AND (ids IS NULL OR a.documentable_id = ANY(ids))
            AND a.documentable_id BETWEEN coalesce(low, -9223372036854775808) AND coalesce(high, 9223372036854775807)
            GROUP BY 1;
    EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
        document := NULL;
        RETURN NEXT;
    END;
END $$;

-- The first `most` questions whose answers people have edited, of the documents `ids`; none if they cannot be read.
CREATE FUNCTION quarterdeck.edited_questions(ids bigint[], most bigint)
    RETURNS TABLE (document bigint, question text) LANGUAGE plpgsql STABLE ROWS 10 AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT a.documentable_id::bigint, left(a.question::text, 200) FROM captain_assistant_responses a
        WHERE a.documentable_type = 'Captain::Document' AND a.documentable_id = ANY(ids) AND a.edited
        ORDER BY a.documentable_id, a.id LIMIT most;
EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
    RETURN;
END $$;

-- The highest id of an answer, 0 without any; NULL if the answers cannot be read.
CREATE FUNCTION quarterdeck.last_answer() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(max(a.id), 0) FROM captain_assistant_responses a);
EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
    RETURN NULL;
END $$;

-- The documents that have an answer after the id `since`; none if the answers cannot be read.
CREATE FUNCTION quarterdeck.answered_since(since bigint) RETURNS SETOF bigint LANGUAGE plpgsql STABLE ROWS 100 AS $$
BEGIN
    RETURN QUERY SELECT DISTINCT a.documentable_id::bigint FROM captain_assistant_responses a
        WHERE a.id > since AND a.documentable_type = 'Captain::Document' AND a.documentable_id IS NOT NULL;
EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
    RETURN;
END $$;

-- Numbers of answers of the documents from `low` to `high`, from Chatwoot's own index alone. One row without a document, and
-- no other, if the answers cannot be read.
CREATE FUNCTION quarterdeck.answer_counts(low bigint, high bigint) RETURNS TABLE (document bigint, faqs bigint)
    LANGUAGE plpgsql STABLE ROWS 1000 SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT a.documentable_id::bigint, count(*) FROM captain_assistant_responses a
        WHERE a.documentable_type = 'Captain::Document' AND a.documentable_id BETWEEN low AND high GROUP BY 1;
EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
    document := NULL;
    RETURN NEXT;
END $$;

-- Writes what is known of the FAQs of the documents after the id `past` up to `last` (NULL: all further ones, which are
-- gone) where it differs. Answers are read only of documents whose number of answers differs, and of the documents `recent`,
-- which have new ones (NULL: of all): to read all would cost ten times as much. Returns the number of rows written, NULL if
-- the answers cannot be read.
CREATE FUNCTION quarterdeck.read_faqs(past bigint, last bigint, recent bigint[]) RETURNS bigint
    LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_nestloop = off AS $$
DECLARE
    high bigint := coalesce(last, 9223372036854775807);
    ids bigint[];
    changed bigint;
    gone bigint;
BEGIN
    DELETE FROM quarterdeck.document_faqs o WHERE o.document_id > past AND o.document_id <= high
        AND NOT EXISTS (SELECT 1 FROM captain_documents d WHERE d.id > past AND d.id <= high AND d.id = o.document_id);
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF last IS NULL THEN
        RETURN gone;
    END IF;
    -- The row without a document, by which unreadable answers are told, has the number -1.
    ids := ARRAY(SELECT coalesce(c.document, o.document_id, -1)
        FROM (SELECT * FROM quarterdeck.document_faqs m WHERE m.document_id > past AND m.document_id <= high) o
        FULL JOIN (SELECT *, true AS counted FROM quarterdeck.answer_counts(past + 1, high)) c
        ON c.document = o.document_id
        WHERE coalesce(c.faqs, 0) IS DISTINCT FROM o.faqs OR recent IS NULL
        UNION SELECT n.id FROM unnest(recent) n(id) WHERE n.id > past AND n.id <= high);
    IF -1 = ANY(ids) THEN
        RETURN NULL;
    END IF;
    WITH facts AS MATERIALIZED (SELECT * FROM quarterdeck.faqs_of(ids, NULL, NULL))
        INSERT INTO quarterdeck.document_faqs AS o (document_id, state, faqs, newest_at)
        SELECT d.id, quarterdeck.faq_state(f.faqs, f.newest_at, NULL), coalesce(f.faqs, 0), f.newest_at
        FROM captain_documents d
        LEFT JOIN facts f ON f.document = d.id
        LEFT JOIN (SELECT m.document_id FROM quarterdeck.document_faqs m
            WHERE m.document_id > past AND m.document_id <= high) m ON m.document_id = d.id
        WHERE d.id > past AND d.id <= high AND (m.document_id IS NULL OR d.id = ANY(ids))
        ON CONFLICT (document_id) DO UPDATE SET faqs = excluded.faqs, newest_at = excluded.newest_at
        WHERE o.faqs <> excluded.faqs OR o.newest_at IS DISTINCT FROM excluded.newest_at;
    GET DIAGNOSTICS changed = ROW_COUNT;
    gone := gone + changed;
    UPDATE quarterdeck.document_faqs o SET state = k.state
        FROM (SELECT m.document_id, m.state AS known, quarterdeck.faq_state(m.faqs, m.newest_at, t.text_at) AS state
            FROM quarterdeck.document_faqs m
            LEFT JOIN (SELECT s.document_id, s.text_at FROM quarterdeck.document_state s
                JOIN captain_documents d ON d.id = s.document_id
                WHERE s.document_id > past AND s.document_id <= high AND d.id > past AND d.id <= high
                AND s.text_at IS NOT NULL AND s.validated = d.metadata ->> 'content_fingerprint') t
            ON t.document_id = m.document_id WHERE m.document_id > past AND m.document_id <= high) k
        WHERE o.document_id > past AND o.document_id <= high AND o.document_id = k.document_id AND k.state <> k.known;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN gone + changed;
END $$;
