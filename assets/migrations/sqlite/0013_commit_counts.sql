-- How many commits changed each kind of data: by it a process reads again only what another one has changed. Every
-- commit of the program counts, also one that changed no such data (bookkeeping), so a commit without a count is another
-- program's.
CREATE TABLE commit_counts (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    documents INTEGER NOT NULL DEFAULT 0,
    jobs INTEGER NOT NULL DEFAULT 0,
    outcomes INTEGER NOT NULL DEFAULT 0,
    hosts INTEGER NOT NULL DEFAULT 0,
    pauses INTEGER NOT NULL DEFAULT 0,
    workers INTEGER NOT NULL DEFAULT 0,
    bookkeeping INTEGER NOT NULL DEFAULT 0
);
INSERT INTO commit_counts (id) VALUES (1);
-- Documents are what other programs write. Their commits may come together with one that counts itself.
CREATE TRIGGER document_insert_counted AFTER INSERT ON captain_documents BEGIN
    UPDATE commit_counts SET documents = documents + 1 WHERE id = 1;
END;
CREATE TRIGGER document_update_counted AFTER UPDATE ON captain_documents BEGIN
    UPDATE commit_counts SET documents = documents + 1 WHERE id = 1;
END;
CREATE TRIGGER document_delete_counted AFTER DELETE ON captain_documents BEGIN
    UPDATE commit_counts SET documents = documents + 1 WHERE id = 1;
END;
