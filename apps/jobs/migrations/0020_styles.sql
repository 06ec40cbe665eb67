-- What a style did stays as it was: areas name the version that they were submitted with.
CREATE TRIGGER jobs_style_versions_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON jobs_styleversion
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE jobs_styleversion ENABLE ALWAYS TRIGGER jobs_style_versions_are_append_only;

-- A style is no longer offered, and never deleted; it keeps its code and its operation.
CREATE TRIGGER jobs_styles_keep_their_code
    BEFORE UPDATE ON jobs_style FOR EACH ROW
    WHEN (OLD.code <> NEW.code OR OLD.operation <> NEW.operation)
    EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER jobs_styles_stay
    BEFORE DELETE OR TRUNCATE ON jobs_style
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE jobs_style ENABLE ALWAYS TRIGGER jobs_styles_keep_their_code;
ALTER TABLE jobs_style ENABLE ALWAYS TRIGGER jobs_styles_stay;
