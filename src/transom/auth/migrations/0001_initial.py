"""Migration 0001_initial of auth."""

import transom.i18n.timezone
from transom.db import migrations, models


class Migration(migrations.Migration):
    """Create model User."""

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("username", models.CharField(unique=True, max_length=150)),
                ("email", models.CharField(default="", max_length=254)),
                ("password", models.CharField(max_length=255)),
                ("is_active", models.BooleanField(default=True)),
                ("is_staff", models.BooleanField(default=False)),
                ("is_superuser", models.BooleanField(default=False)),
                ("date_joined", models.DateTimeField(default=transom.i18n.timezone.now)),
                ("last_login", models.DateTimeField(default=None, null=True)),
            ],
            options={"ordering": ["username"]},
        ),
    ]
