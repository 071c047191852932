"""Migration 0001_initial of sessions."""

from transom.db import migrations, models


class Migration(migrations.Migration):
    """Create model StoredSession."""

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="StoredSession",
            fields=[
                ("key", models.CharField(primary_key=True, max_length=64)),
                ("content", models.BinaryField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
