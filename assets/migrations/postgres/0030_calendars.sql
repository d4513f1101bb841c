-- The rule and the window of the account's plan as its settings write them, from which every process computes the next times of
-- documents. A pass of the schedule writes them.
ALTER TABLE quarterdeck.accounts_sched ADD COLUMN at_rule text, ADD COLUMN day_window text;
