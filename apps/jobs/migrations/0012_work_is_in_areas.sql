-- The only ways a job may go. What has ended ended as it did, unless its failed areas are
-- tried again: then it waits again, or goes on where a part of it is done.
CREATE OR REPLACE FUNCTION jobs_refuse_other_courses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.status = 'pending' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.status = NEW.status OR (OLD.status, NEW.status) IN (
        ('pending', 'processing'), ('pending', 'failed'), ('pending', 'cancelled'),
        ('processing', 'completed'), ('processing', 'failed'), ('processing', 'cancelled'),
        ('failed', 'pending'), ('completed', 'processing')))
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'A job cannot go from % to %.',
        CASE WHEN TG_OP = 'UPDATE' THEN OLD.status ELSE 'nothing' END, NEW.status
        USING ERRCODE = 'check_violation';
END
$$;

-- The only ways an area may go; and none goes without its payment: an unfinished one has an
-- open attempt, and one that has ended has none.
CREATE FUNCTION jobs_refuse_other_areas() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_unfinished boolean := NEW.status IN ('pending', 'processing');
BEGIN
    IF TG_OP = 'INSERT' AND NEW.status = 'pending' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' OR (OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('pending', 'processing'), ('pending', 'failed'), ('pending', 'cancelled'),
        ('processing', 'pending'), ('processing', 'completed'), ('processing', 'failed'),
        ('failed', 'pending')))
    THEN
        RAISE EXCEPTION 'An area cannot go from % to %.',
            CASE WHEN TG_OP = 'UPDATE' THEN OLD.status ELSE 'nothing' END, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.status <> NEW.status AND is_unfinished <> EXISTS (
        SELECT FROM jobs_attempt
         WHERE area_id = NEW.id AND number = NEW.attempt_number AND outcome = 'open')
    THEN
        RAISE EXCEPTION 'An area that is % % an open attempt.', NEW.status,
            CASE WHEN is_unfinished THEN 'needs' ELSE 'cannot have' END
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER jobs_areas_follow_their_course
    BEFORE INSERT OR UPDATE OF status ON jobs_generationarea
    FOR EACH ROW EXECUTE FUNCTION jobs_refuse_other_areas();
ALTER TABLE jobs_generationarea ENABLE ALWAYS TRIGGER jobs_areas_follow_their_course;

-- What paid, and how it ended, is said once.
CREATE FUNCTION jobs_keep_attempts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.outcome = 'open' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.outcome = 'open'
        AND (NEW.area_id, NEW.number, NEW.wallet_id, NEW.charge_reference, NEW.payment_type)
          = (OLD.area_id, OLD.number, OLD.wallet_id, OLD.charge_reference, OLD.payment_type)
        AND (NEW.cost = OLD.cost OR (OLD.hold_id IS NOT NULL AND NEW.cost <= OLD.cost))
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'An attempt begins open, ends once, and what paid for it stays.'
        USING ERRCODE = 'check_violation';
END
$$;

CREATE TRIGGER jobs_attempts_stay
    BEFORE INSERT OR UPDATE OR DELETE ON jobs_attempt
    FOR EACH ROW EXECUTE FUNCTION jobs_keep_attempts();
ALTER TABLE jobs_attempt ENABLE ALWAYS TRIGGER jobs_attempts_stay;
