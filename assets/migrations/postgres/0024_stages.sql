-- How long the stages of the attempt took, packed into one number.
ALTER TABLE quarterdeck.outcomes ADD COLUMN stages BIGINT;
