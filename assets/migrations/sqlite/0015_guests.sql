-- Nothing to change: on SQLite the table of documents is always our own. (PostgreSQL gets rows for Chatwoot's documents.)
SELECT 1;
