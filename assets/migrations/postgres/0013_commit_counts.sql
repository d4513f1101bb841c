-- Nothing to change: here processes notify each other of what they have changed. (SQLite gets counters of commits.)
SELECT 1;
