-- By which terms an award was made stays as it was.
CREATE TRIGGER partners_terms_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON partners_partnerterms
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE partners_partnerterms ENABLE ALWAYS TRIGGER partners_terms_are_append_only;

-- What was awarded, to whom and why is history: it is revoked, and never rewritten or deleted.
CREATE TRIGGER partners_awards_keep_what_they_gave
    BEFORE UPDATE ON partners_partnercredit FOR EACH ROW
    WHEN (OLD.partner_id <> NEW.partner_id OR OLD.member_id <> NEW.member_id
          OR OLD.credits <> NEW.credits OR OLD.key <> NEW.key OR OLD.terms_id <> NEW.terms_id)
    EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER partners_awards_stay
    BEFORE DELETE OR TRUNCATE ON partners_partnercredit
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE partners_partnercredit ENABLE ALWAYS TRIGGER partners_awards_keep_what_they_gave;
ALTER TABLE partners_partnercredit ENABLE ALWAYS TRIGGER partners_awards_stay;

-- A member keeps his wallet, whatever becomes of his address.
CREATE TRIGGER partners_members_keep_their_wallet
    BEFORE UPDATE ON partners_partnermember FOR EACH ROW
    WHEN (OLD.wallet_id <> NEW.wallet_id OR OLD.partner_id <> NEW.partner_id)
    EXECUTE FUNCTION core_refuse_change();
ALTER TABLE partners_partnermember ENABLE ALWAYS TRIGGER partners_members_keep_their_wallet;
