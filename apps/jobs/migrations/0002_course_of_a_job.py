"""The database refuses a job that goes another way than pending, processing, ended."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql="""
                DROP TRIGGER jobs_follow_their_course ON jobs_generationjob;
                DROP FUNCTION jobs_refuse_other_courses();
            """,
        )
    ]
