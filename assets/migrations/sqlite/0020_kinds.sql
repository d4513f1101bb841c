-- Nothing to change: on SQLite the table of documents is always our own. (PostgreSQL gets the hosts and kinds of Chatwoot's
-- documents.)
SELECT 1;
