"""Actions on money, counted while Redis is away."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0040_walls"),
    ]

    operations = [
        migrations.CreateModel(
            name="RateLimitCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("policy", models.CharField(max_length=50)),
                ("subject", models.CharField(max_length=64)),
                ("begins_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(db_index=True)),
                ("used", models.PositiveIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("policy", "subject", "begins_at"), name="core_one_count_per_window"
                    )
                ],
            },
        ),
    ]
