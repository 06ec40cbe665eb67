-- What was offered stays as it was offered: subscriptions, payments and lots point at versions.
-- Only the id that Stripe gave is written later, once.

CREATE TRIGGER billing_plan_versions_are_kept
    BEFORE UPDATE ON billing_planversion FOR EACH ROW
    WHEN (to_jsonb(OLD) - 'stripe_price_id' IS DISTINCT FROM to_jsonb(NEW) - 'stripe_price_id'
          OR (OLD.stripe_price_id <> '' AND OLD.stripe_price_id <> NEW.stripe_price_id))
    EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER billing_plan_versions_stay
    BEFORE DELETE OR TRUNCATE ON billing_planversion
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE billing_planversion ENABLE ALWAYS TRIGGER billing_plan_versions_are_kept;
ALTER TABLE billing_planversion ENABLE ALWAYS TRIGGER billing_plan_versions_stay;

CREATE TRIGGER billing_product_versions_are_kept
    BEFORE UPDATE ON billing_productversion FOR EACH ROW
    WHEN (to_jsonb(OLD) - 'stripe_price_id' IS DISTINCT FROM to_jsonb(NEW) - 'stripe_price_id'
          OR (OLD.stripe_price_id <> '' AND OLD.stripe_price_id <> NEW.stripe_price_id))
    EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER billing_product_versions_stay
    BEFORE DELETE OR TRUNCATE ON billing_productversion
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE billing_productversion ENABLE ALWAYS TRIGGER billing_product_versions_are_kept;
ALTER TABLE billing_productversion ENABLE ALWAYS TRIGGER billing_product_versions_stay;

-- A plan or pack is archived and never deleted, and keeps its code and its product at Stripe.

CREATE TRIGGER billing_plans_keep_their_product
    BEFORE UPDATE ON billing_subscriptionplan FOR EACH ROW
    WHEN (OLD.code <> NEW.code
          OR (OLD.stripe_product_id <> '' AND OLD.stripe_product_id <> NEW.stripe_product_id))
    EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER billing_plans_stay
    BEFORE DELETE OR TRUNCATE ON billing_subscriptionplan
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE billing_subscriptionplan ENABLE ALWAYS TRIGGER billing_plans_keep_their_product;
ALTER TABLE billing_subscriptionplan ENABLE ALWAYS TRIGGER billing_plans_stay;

CREATE TRIGGER billing_packs_keep_their_product
    BEFORE UPDATE ON billing_creditproduct FOR EACH ROW
    WHEN (OLD.code <> NEW.code
          OR (OLD.stripe_product_id <> '' AND OLD.stripe_product_id <> NEW.stripe_product_id))
    EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER billing_packs_stay
    BEFORE DELETE OR TRUNCATE ON billing_creditproduct
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
ALTER TABLE billing_creditproduct ENABLE ALWAYS TRIGGER billing_packs_keep_their_product;
ALTER TABLE billing_creditproduct ENABLE ALWAYS TRIGGER billing_packs_stay;
