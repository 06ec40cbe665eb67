"""Versions of plans and packs never change, and nothing of the catalogue is deleted."""

from pathlib import Path

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0001_what_is_sold_and_paid"),
        ("core", "0002_refuse_change"),
    ]

    operations = [
        *(
            migrations.AddField(
                model_name=model,
                name="compared_at",
                field=models.DateTimeField(blank=True, null=True),
            )
            for model in ("subscriptionplan", "creditproduct")
        ),
        *(
            migrations.AddField(
                model_name=model,
                name="differences",
                field=models.JSONField(blank=True, default=list),
            )
            for model in ("subscriptionplan", "creditproduct")
        ),
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql="""
            DROP TRIGGER billing_plan_versions_are_kept ON billing_planversion;
            DROP TRIGGER billing_plan_versions_stay ON billing_planversion;
            DROP TRIGGER billing_product_versions_are_kept ON billing_productversion;
            DROP TRIGGER billing_product_versions_stay ON billing_productversion;
            DROP TRIGGER billing_plans_keep_their_product ON billing_subscriptionplan;
            DROP TRIGGER billing_plans_stay ON billing_subscriptionplan;
            DROP TRIGGER billing_packs_keep_their_product ON billing_creditproduct;
            DROP TRIGGER billing_packs_stay ON billing_creditproduct;
            """,
        ),
    ]
