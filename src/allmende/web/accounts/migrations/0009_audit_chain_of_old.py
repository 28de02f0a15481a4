from django.db import migrations

from allmende.web.accounts.chain import START, Payload, entry_digest, new_salt, payload_digest

CHUNK = 1000


def chain_of_old(apps, schema_editor):
    """Entries from before there was a chain: from now on they are held by it, as they are today."""
    entries = apps.get_model("accounts", "AuditEntry").objects
    after, digest = 0, START
    while rows := list(entries.filter(id__gt=after).order_by("id")[:CHUNK]):
        for row in rows:
            row.salt = new_salt()
            payload = Payload(actor=row.actor, object=row.object, detail=row.detail, request_id=row.request_id)
            row.payload_digest = payload_digest(row.salt, payload)
            row.digest = digest = entry_digest(digest, row.at, row.action, row.payload_digest)
        entries.bulk_update(rows, ["salt", "payload_digest", "digest"])
        after = rows[-1].pk
    apps.get_model("accounts", "AuditHead").objects.update_or_create(pk=1, defaults={"newest": after, "digest": digest})


class Migration(migrations.Migration):
    # Apart from the columns: PostgreSQL does not change a table that rows were just written to.
    dependencies = [("accounts", "0008_audit_chain")]

    operations = [migrations.RunPython(chain_of_old, migrations.RunPython.noop)]
