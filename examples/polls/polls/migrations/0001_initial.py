"""Migration 0001_initial of polls."""

from transom.db import migrations, models

import polls.models


class Migration(migrations.Migration):
    """Create model Question and create model Choice."""

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Question",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("text", models.CharField(max_length=200)),
                ("published", models.DateTimeField(default=polls.models.now)),
            ],
            options={"ordering": ["-published", "-id"]},
        ),
        migrations.CreateModel(
            name="Choice",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                (
                    "question",
                    models.ForeignKey(
                        to="polls.Question",
                        on_delete=models.CASCADE,
                        related_name="choices",
                    ),
                ),
                ("text", models.CharField(max_length=200)),
                ("votes", models.IntegerField(default=0)),
            ],
            options={"ordering": ["id"]},
        ),
    ]
