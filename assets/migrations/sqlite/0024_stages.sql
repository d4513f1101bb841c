-- How long the stages of the attempt took, packed into one number.
ALTER TABLE outcomes ADD COLUMN stages INTEGER;
