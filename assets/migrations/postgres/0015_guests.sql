-- Shadow rows: what `document_status` holds for the documents of a table that is Chatwoot's, which gets no trigger,
-- index or column. Writes of ours refresh the rows concerned at once, by triggers on our own tables; passes read
-- everything again, and find what Chatwoot has written. Its table is named in the bodies of functions alone: a view would
-- stand in the way of Chatwoot's migrations.

-- The passes over Chatwoot's documents; one row.
CREATE TABLE quarterdeck.shadow_passes (
    id bigint PRIMARY KEY CHECK (id = 1),
    -- The start of the last complete pass; NULL before the first one.
    read_at bigint,
    -- The start of the last pass, which names it.
    started_at bigint,
    -- Until then no other pass starts; NULL after the end of a pass.
    lease_until bigint
) WITH (fillfactor = 10);
INSERT INTO quarterdeck.shadow_passes VALUES (1, NULL, NULL, NULL);

-- The facts about the documents `ids`, or all from `low` to `high`: what `document_status` has to hold, by the rule of
-- `status_facts`. With a time `now`, what time alone has changed by then. All functions here plan their statements for
-- each call, since the two kinds of calls need different plans. Those that write read shadow rows by their ids and never
-- loop over them: while the first pass fills the table, the server takes it for empty, and a loop costs nothing.
CREATE FUNCTION quarterdeck.shadow_facts(ids bigint[], low bigint, high bigint, now bigint)
    RETURNS SETOF quarterdeck.document_status LANGUAGE plpgsql STABLE
    SET plan_cache_mode = force_custom_plan SET enable_nestloop = on AS $$
BEGIN
    RETURN QUERY SELECT f.document_id, f.account_id, f.assistant_id,
            CASE WHEN f.until < shadow_facts.now THEN CASE f.kept WHEN 3 THEN 1::bigint ELSE 5::bigint END ELSE f.kept END,
            CASE WHEN f.until < shadow_facts.now THEN NULL ELSE f.until END,
            f.attempted_at, f.synced_at, f.next_at
        FROM (SELECT d.id AS document_id, d.account_id, d.assistant_id,
            CAST(CASE WHEN l.lock_holder IS NOT NULL THEN 2 WHEN l.state = 'running' THEN 3 WHEN l.state = 'ready' THEN 4
                WHEN l.state = 'scheduled' AND l.attempt > 0 THEN 2
                WHEN d.sync_status = 0 THEN CASE WHEN d.attempted_at IS NULL THEN 1 ELSE 3 END
                WHEN d.sync_status = 2 THEN 0 WHEN d.sync_status = 1 THEN 6 ELSE 7 END AS bigint) AS kept,
            CASE WHEN l.lock_holder IS NOT NULL OR l.state IN ('running', 'ready') OR l.attempt > 0 THEN NULL
                WHEN d.sync_status = 0 THEN d.attempted_at + 7200000000
                WHEN d.sync_status = 1 THEN d.synced_at + c.cadence END AS until,
            d.attempted_at, d.synced_at, CASE WHEN l.state = 'scheduled' THEN l.run_at END AS next_at
        -- Each time is converted once.
        FROM (SELECT o.id, o.account_id, o.assistant_id, o.sync_status,
                quarterdeck.micros(o.last_sync_attempted_at) AS attempted_at,
                quarterdeck.micros(o.last_synced_at) AS synced_at FROM captain_documents o
                WHERE CASE WHEN shadow_facts.ids IS NULL THEN o.id BETWEEN shadow_facts.low AND shadow_facts.high
                ELSE o.id = ANY(shadow_facts.ids) END OFFSET 0) d
        LEFT JOIN quarterdeck.jobs l ON l.document_id = d.id AND l.state IN ('scheduled', 'ready', 'running')
        LEFT JOIN quarterdeck.accounts_sched c ON c.account_id = d.account_id) f;
END $$;

-- Adds the rows that these documents lack. A row that another transaction adds meanwhile is awaited.
CREATE FUNCTION quarterdeck.add_shadows(ids bigint[], now bigint) RETURNS bigint LANGUAGE plpgsql
    SET plan_cache_mode = force_custom_plan SET enable_nestloop = off AS $$
DECLARE
    added bigint;
BEGIN
    INSERT INTO quarterdeck.document_status
        SELECT f.* FROM quarterdeck.shadow_facts(ids, NULL, NULL, now) f
        WHERE NOT EXISTS (SELECT 1 FROM quarterdeck.document_status m
            WHERE m.document_id = ANY(ids) AND m.document_id = f.document_id)
        ORDER BY f.document_id ON CONFLICT (document_id) DO NOTHING;
    GET DIAGNOSTICS added = ROW_COUNT;
    RETURN added;
END $$;

-- Writes those of the rows of these documents that differ from the facts. The rows are locked already.
CREATE FUNCTION quarterdeck.correct_shadows(ids bigint[], now bigint) RETURNS bigint LANGUAGE plpgsql
    SET plan_cache_mode = force_custom_plan SET enable_nestloop = off AS $$
DECLARE
    changed bigint;
BEGIN
    UPDATE quarterdeck.document_status m SET account_id = f.account_id, assistant_id = f.assistant_id, status = f.status,
        status_until = f.status_until, attempted_at = f.attempted_at, synced_at = f.synced_at, next_at = f.next_at
        FROM quarterdeck.shadow_facts(ids, NULL, NULL, now) f
        WHERE m.document_id = ANY(ids) AND m.document_id = f.document_id
        AND (m.account_id, m.assistant_id, m.status, m.status_until, m.attempted_at, m.synced_at, m.next_at)
        IS DISTINCT FROM (f.account_id, f.assistant_id, f.status, f.status_until, f.attempted_at, f.synced_at, f.next_at);
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;

-- Reads the next `batch` documents after the id `past`, and removes the rows of documents that are gone. Returns the last
-- id, NULL at the end, and the number of rows written. A row that is locked is skipped: a transaction is writing it, and a
-- pass that waited for one could wait for ever.
CREATE FUNCTION quarterdeck.read_shadows(past bigint, batch bigint, now bigint, OUT last_id bigint, OUT written bigint)
    LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_nestloop = off AS $$
<<reading>>
DECLARE
    ids bigint[];
    high bigint;
    added bigint;
BEGIN
    SELECT max(q.id) INTO last_id FROM
        (SELECT d.id FROM captain_documents d WHERE d.id > read_shadows.past
            ORDER BY d.id LIMIT read_shadows.batch) q;
    high := coalesce(last_id, 9223372036854775807);
    ids := ARRAY(SELECT m.document_id FROM quarterdeck.document_status m
        WHERE m.document_id > past AND m.document_id <= high AND NOT EXISTS (SELECT 1 FROM captain_documents d
            WHERE d.id > read_shadows.past AND d.id <= reading.high AND d.id = m.document_id)
        FOR UPDATE OF m SKIP LOCKED);
    written := 0;
    IF cardinality(ids) > 0 THEN
        DELETE FROM quarterdeck.document_status m WHERE m.document_id = ANY(ids);
        written := cardinality(ids);
    END IF;
    IF last_id IS NULL THEN
        RETURN;
    END IF;
    ids := ARRAY(SELECT f.document_id FROM quarterdeck.shadow_facts(NULL, past + 1, high, now) f
        LEFT JOIN (SELECT * FROM quarterdeck.document_status o WHERE o.document_id > past AND o.document_id <= high) m
        ON m.document_id = f.document_id
        WHERE (m.account_id, m.assistant_id, m.status, m.status_until, m.attempted_at, m.synced_at, m.next_at)
        IS DISTINCT FROM (f.account_id, f.assistant_id, f.status, f.status_until, f.attempted_at, f.synced_at, f.next_at));
    IF cardinality(ids) = 0 THEN
        RETURN;
    END IF;
    added := quarterdeck.add_shadows(ids, now);
    written := written + added;
    IF added < cardinality(ids) THEN
        ids := ARRAY(SELECT m.document_id FROM quarterdeck.document_status m
            WHERE m.document_id = ANY(ids) ORDER BY m.document_id FOR UPDATE OF m SKIP LOCKED);
        written := written + quarterdeck.correct_shadows(ids, now);
    END IF;
END $$;

-- Gives a row to a document that gets a row of `document_state`: one that we add, or whose first job is requested.
CREATE FUNCTION quarterdeck.shadowed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM quarterdeck.refresh_status(ARRAY(SELECT document_id FROM added));
    RETURN NULL;
END $$;

-- Starts to keep shadow rows beside a table of documents that is Chatwoot's. The first pass fills them.
CREATE FUNCTION quarterdeck.keep_shadows() RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    -- Like that of a store of our own, but a row may be missing: no trigger sees what Chatwoot adds.
    CREATE OR REPLACE FUNCTION quarterdeck.refresh_status(ids bigint[]) RETURNS void LANGUAGE plpgsql
        SET plan_cache_mode = force_custom_plan AS $$
    DECLARE
        found bigint;
    BEGIN
        IF cardinality(ids) = 0 THEN
            RETURN;
        END IF;
        PERFORM 1 FROM quarterdeck.document_status m WHERE m.document_id = ANY(ids)
            ORDER BY m.document_id FOR UPDATE OF m;
        GET DIAGNOSTICS found = ROW_COUNT;
        IF found < cardinality(ids) AND quarterdeck.add_shadows(ids, NULL) < cardinality(ids) - found THEN
            PERFORM 1 FROM quarterdeck.document_status m WHERE m.document_id = ANY(ids)
                ORDER BY m.document_id FOR UPDATE OF m;
        END IF;
        PERFORM quarterdeck.correct_shadows(ids, NULL);
    END $$;

    CREATE INDEX status_order ON quarterdeck.document_status (status, document_id);
    CREATE INDEX status_until ON quarterdeck.document_status (status_until, status, account_id)
        WHERE status_until IS NOT NULL;
    CREATE INDEX status_attempted ON quarterdeck.document_status (attempted_at, document_id);
    CREATE INDEX status_synced ON quarterdeck.document_status (synced_at, document_id);
    CREATE INDEX status_next ON quarterdeck.document_status (next_at, document_id) WHERE next_at IS NOT NULL;
    CREATE INDEX status_account ON quarterdeck.document_status (account_id, status);
    CREATE INDEX state_error ON quarterdeck.document_state
        (error_code COLLATE "C", (coalesce(quarterdeck.leading(detail), '')) COLLATE "C", document_id)
        WHERE error_code IS NOT NULL;

    CREATE TRIGGER jobs_added AFTER INSERT ON quarterdeck.jobs REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.jobs_added();
    CREATE TRIGGER jobs_changed AFTER UPDATE ON quarterdeck.jobs REFERENCING OLD TABLE AS removed NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.jobs_changed();
    CREATE TRIGGER jobs_removed AFTER DELETE ON quarterdeck.jobs REFERENCING OLD TABLE AS removed
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.jobs_removed();
    CREATE TRIGGER plan_added AFTER INSERT ON quarterdeck.accounts_sched FOR EACH ROW
        WHEN (NEW.cadence IS NOT NULL) EXECUTE FUNCTION quarterdeck.plan_changed();
    CREATE TRIGGER plan_changed AFTER UPDATE OF cadence ON quarterdeck.accounts_sched FOR EACH ROW
        WHEN (OLD.cadence IS DISTINCT FROM NEW.cadence) EXECUTE FUNCTION quarterdeck.plan_changed();
    CREATE TRIGGER plan_removed AFTER DELETE ON quarterdeck.accounts_sched FOR EACH ROW
        WHEN (OLD.cadence IS NOT NULL) EXECUTE FUNCTION quarterdeck.plan_changed();
    CREATE TRIGGER states_added AFTER INSERT ON quarterdeck.document_state REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.shadowed();
    CREATE TRIGGER statuses_added AFTER INSERT ON quarterdeck.document_status REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.statuses_added();
    CREATE TRIGGER statuses_changed AFTER UPDATE ON quarterdeck.document_status
        REFERENCING OLD TABLE AS removed NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.statuses_changed();
    CREATE TRIGGER statuses_removed AFTER DELETE ON quarterdeck.document_status REFERENCING OLD TABLE AS removed
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.statuses_removed();
END $body$;

DO $$
BEGIN
    IF to_regclass('captain_documents') IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM quarterdeck.made WHERE name = 'captain_documents') THEN
        PERFORM quarterdeck.keep_shadows();
    END IF;
END $$;
