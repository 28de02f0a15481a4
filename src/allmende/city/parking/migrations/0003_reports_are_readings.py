"""What a sign's controller reports is a reading of the commons; the last row of each was renewed twice a minute."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("parking", "0002_signs")]

    operations = [migrations.DeleteModel(name="SignReport")]
