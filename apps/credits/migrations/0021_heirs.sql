-- Lots that were made so far: one that was given another date has its heir under the same
-- cause; one that died before our failure has its heir where the refund went. The first lot of
-- each line is found, and its heirs are frozen as it is: their money is disputed as well.
WITH RECURSIVE parent AS (
    SELECT came.lot_id AS id, went.lot_id AS of_id
      FROM credits_credittransaction came
      JOIN credits_credittransaction went
        ON went.wallet_id = came.wallet_id AND went.reference = came.reference
       AND went.transaction_type = 'redated' AND went.amount < 0
     WHERE came.transaction_type = 'redated' AND came.amount > 0
     UNION
    SELECT lot.id, taken.lot_id
      FROM credits_lot lot
      JOIN credits_credittransaction back
        ON back.lot_id = lot.id AND back.transaction_type = 'refunded'
      JOIN credits_credittransaction taken
        ON taken.id = back.reverses_id AND taken.lot_id <> lot.id
      JOIN credits_lot died ON died.id = taken.lot_id AND died.kind <> 'debt'
     WHERE lot.origin LIKE 'grace:%'),
line AS (
    SELECT id, of_id FROM parent one
     WHERE NOT EXISTS (SELECT FROM parent other WHERE other.id = one.of_id)
     UNION ALL
    SELECT parent.id, line.of_id FROM parent JOIN line ON line.id = parent.of_id)
UPDATE credits_lot lot
   SET heir_of_id = first.id,
       frozen_at = CASE WHEN first.frozen_at IS NOT NULL THEN coalesce(lot.frozen_at, now()) END
  FROM line JOIN credits_lot first ON first.id = line.of_id
 WHERE lot.id = line.id;

SET CONSTRAINTS ALL IMMEDIATE;  -- or what waits for the commit would keep the trigger in place

-- Whose heir a lot is never changes either.
DROP TRIGGER credits_terms_of_a_lot_are_fixed ON credits_lot;

CREATE TRIGGER credits_terms_of_a_lot_are_fixed
    BEFORE UPDATE ON credits_lot FOR EACH ROW
    WHEN ((OLD.id, OLD.organization_id, OLD.wallet_id, OLD.kind, OLD.granted, OLD.priority,
           OLD.effective_at, OLD.expires_at, OLD.unit_cost, OLD.currency, OLD.features, OLD.origin,
           OLD.heir_of_id, OLD.created_at)
          IS DISTINCT FROM
          (NEW.id, NEW.organization_id, NEW.wallet_id, NEW.kind, NEW.granted, NEW.priority,
           NEW.effective_at, NEW.expires_at, NEW.unit_cost, NEW.currency, NEW.features, NEW.origin,
           NEW.heir_of_id, NEW.created_at))
    EXECUTE FUNCTION core_refuse_change();
ALTER TABLE credits_lot ENABLE ALWAYS TRIGGER credits_terms_of_a_lot_are_fixed;
