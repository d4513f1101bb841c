-- What is read of Chatwoot's accounts: names, plans and limits.
CREATE TABLE accounts (
    id bigserial PRIMARY KEY,
    name varchar NOT NULL,
    limits jsonb DEFAULT '{}',
    custom_attributes jsonb DEFAULT '{}',
    created_at timestamp(6) NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    updated_at timestamp(6) NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')
);
