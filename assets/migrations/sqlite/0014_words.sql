-- Nothing to change: the index documents_url has all that words are looked for in. (PostgreSQL gets an index of trigrams.)
SELECT 1;
