-- The charge of the document that Coffer's jobs were born from, so that both can be timed
-- side by side in one database. Corrected only as far as needed to run:
--   1. The tables that it expects are made here, in a schema of their own; `users` stands for
--      the other system's accounts, and references to its auth schema are left out.
--   2. `credits` is written users.credits, because the name alone was ambiguous in plpgsql.
-- What is wrong with it (the key is looked at after the debit, and for all tenants together)
-- is left as it was.
CREATE SCHEMA document_002;
SET LOCAL search_path TO document_002, public;

CREATE TABLE users (id uuid PRIMARY KEY, credits integer NOT NULL CHECK (credits >= 0));

CREATE TABLE generation_jobs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    operation_type text NOT NULL,
    status text NOT NULL DEFAULT 'pending',
    cost integer NOT NULL,
    idempotency_key text,
    metadata jsonb DEFAULT '{}',
    created_at timestamptz DEFAULT now()
);
CREATE INDEX ON generation_jobs (user_id);
CREATE INDEX ON generation_jobs (status);
CREATE UNIQUE INDEX ON generation_jobs (idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE credit_ledger (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id),
    delta integer NOT NULL,
    balance_after integer NOT NULL,
    operation_type text,
    description text,
    metadata jsonb,
    created_at timestamptz DEFAULT now()
);
CREATE INDEX ON credit_ledger (user_id);

CREATE TABLE idempotency_keys (
    key text, user_id uuid, operation text, status text, PRIMARY KEY (key, user_id)
);

CREATE FUNCTION atomic_charge_credits(
    p_user_id uuid, p_operation_type text, p_cost integer, p_idempotency_key text
) RETURNS integer LANGUAGE plpgsql SET search_path TO document_002, public AS $$
DECLARE
    v_balance integer;
    v_job_id uuid;
BEGIN
    SELECT users.credits INTO v_balance FROM users WHERE id = p_user_id FOR UPDATE;
    IF v_balance IS NULL THEN
        RAISE EXCEPTION 'User not found';
    END IF;
    IF v_balance < p_cost THEN
        RAISE EXCEPTION 'Insufficient credits: has % needs %', v_balance, p_cost;
    END IF;
    v_balance := v_balance - p_cost;
    UPDATE users SET credits = v_balance WHERE id = p_user_id;
    INSERT INTO generation_jobs (user_id, operation_type, cost, idempotency_key)
    VALUES (p_user_id, p_operation_type, p_cost, p_idempotency_key)
    RETURNING id INTO v_job_id;
    INSERT INTO credit_ledger (user_id, delta, balance_after, operation_type, description, metadata)
    VALUES (p_user_id, -p_cost, v_balance, p_operation_type, p_operation_type || ' generation',
            jsonb_build_object('job_id', v_job_id, 'idempotency_key', p_idempotency_key));
    INSERT INTO idempotency_keys (key, user_id, operation, status)
    VALUES (p_idempotency_key, p_user_id, p_operation_type, 'started')
    ON CONFLICT (key, user_id) DO NOTHING;
    RETURN v_balance;
END
$$;
