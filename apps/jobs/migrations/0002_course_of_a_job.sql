-- The only ways a job may go. What has ended stays as it ended, whoever writes.
CREATE FUNCTION jobs_refuse_other_courses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.status = 'pending' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.status, NEW.status) IN (
        ('pending', 'pending'), ('pending', 'processing'), ('pending', 'cancelled'),
        ('processing', 'processing'), ('processing', 'completed'), ('processing', 'failed'))
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'A job cannot go from % to %.',
        CASE WHEN TG_OP = 'UPDATE' THEN OLD.status ELSE 'nothing' END, NEW.status
        USING ERRCODE = 'check_violation';
END
$$;

CREATE TRIGGER jobs_follow_their_course
    BEFORE INSERT OR UPDATE OF status ON jobs_generationjob
    FOR EACH ROW EXECUTE FUNCTION jobs_refuse_other_courses();
ALTER TABLE jobs_generationjob ENABLE ALWAYS TRIGGER jobs_follow_their_course;
