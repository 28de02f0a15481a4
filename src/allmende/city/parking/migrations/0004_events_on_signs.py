"""Whether an event is told on signs, and by which text."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parking", "0003_reports_are_readings")]

    operations = [
        migrations.AddField("event", "on_signs", models.BooleanField(default=True)),
        migrations.AddField("event", "sign_text", models.JSONField(blank=True, default=dict)),
    ]
