-- The digest of the response body that the stored text came from, with everything that its conversion depended on: a
-- body with the same digest is not converted. Like the validators it counts only for the text that `validated` names.
ALTER TABLE document_state ADD COLUMN body_digest TEXT;
