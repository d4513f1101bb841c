-- Time at which this program last stored a text that differs from the one before it, in microseconds; NULL while another
-- program's text is stored.
ALTER TABLE document_state ADD COLUMN text_at INTEGER;
