from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("worker", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Watched",
            fields=[
                ("source", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("since", models.BigIntegerField()),
                ("counts", models.JSONField(default=list)),
            ],
        ),
        migrations.CreateModel(
            name="Look",
            fields=[
                ("source", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("names", models.JSONField(default=dict)),
                ("first", models.BigIntegerField()),
                ("last", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Trouble",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=100)),
                ("kind", models.CharField(max_length=20)),
                ("since", models.BigIntegerField()),
                ("found", models.BigIntegerField()),
                ("over", models.BigIntegerField(null=True)),
                ("finding", models.JSONField(default=dict)),
                ("told", models.BigIntegerField(null=True)),
                ("told_over", models.BigIntegerField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["source", "kind"], name="trouble_source")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("over__isnull", True)),
                        fields=("source", "kind"),
                        name="one_trouble_of_a_kind",
                    )
                ],
            },
        ),
    ]
