-- Names and URLs in lower case, for words in filters: a table of its own, because its index costs far more than those of
-- documents and is written only when one of the two changes. Only for a table of documents that is our own: Chatwoot's
-- gets no trigger, and this table stays empty beside it.
CREATE TABLE quarterdeck.document_words (document_id bigint PRIMARY KEY, name text, url text NOT NULL);

CREATE FUNCTION quarterdeck.words_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO quarterdeck.document_words
        SELECT id, quarterdeck.fold(name), quarterdeck.fold(external_link) FROM added;
    RETURN NULL;
END $$;
CREATE FUNCTION quarterdeck.words_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE quarterdeck.document_words SET name = quarterdeck.fold(NEW.name), url = quarterdeck.fold(NEW.external_link)
        WHERE document_id = NEW.id;
    RETURN NULL;
END $$;
CREATE FUNCTION quarterdeck.words_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM quarterdeck.document_words WHERE document_id IN (SELECT id FROM removed);
    RETURN NULL;
END $$;

-- Makes the index of trigrams. Without the extension pg_trgm (the server lacks it, or this role may not create it) there
-- is none, and words are looked for in all rows of the table. Returns whether there is an index.
CREATE FUNCTION quarterdeck.index_words() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    place text;
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA quarterdeck;
    SELECT quote_ident(n.nspname) INTO STRICT place
        FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm';
    EXECUTE format('CREATE INDEX IF NOT EXISTS document_words_trigrams ON quarterdeck.document_words '
        'USING gin (name %1$s.gin_trgm_ops, url %1$s.gin_trgm_ops)', place);
    RETURN true;
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'words are looked for without an index: %', SQLERRM;
    RETURN false;
END $$;

-- Starts to keep the words of a table of documents that is our own.
CREATE FUNCTION quarterdeck.keep_words() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO quarterdeck.document_words
        SELECT id, quarterdeck.fold(name), quarterdeck.fold(external_link) FROM captain_documents;
    PERFORM quarterdeck.index_words();
    CREATE TRIGGER quarterdeck_words_added AFTER INSERT ON captain_documents REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.words_added();
    CREATE TRIGGER quarterdeck_words_changed AFTER UPDATE OF name, external_link ON captain_documents FOR EACH ROW
        WHEN ((OLD.name, OLD.external_link) IS DISTINCT FROM (NEW.name, NEW.external_link))
        EXECUTE FUNCTION quarterdeck.words_changed();
    CREATE TRIGGER quarterdeck_words_removed AFTER DELETE ON captain_documents REFERENCING OLD TABLE AS removed
        FOR EACH STATEMENT EXECUTE FUNCTION quarterdeck.words_removed();
    -- How common a word is decides whether its index is of use.
    ANALYZE quarterdeck.document_words;
END $$;

DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM quarterdeck.made WHERE name = 'captain_documents') THEN
        PERFORM quarterdeck.keep_words();
    END IF;
END $$;
