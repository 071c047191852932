"""A question has choices; a choice has votes."""

from datetime import UTC, datetime

from transom.db import models


def now() -> datetime:
    """Return the current time, in UTC."""
    return datetime.now(UTC)


class Question(models.Model):
    """What people are asked."""

    text = models.CharField(max_length=200)
    published = models.DateTimeField(default=now)
    choices: models.Related["Choice"]

    class Meta:
        ordering = ["-published", "-id"]

    def __str__(self) -> str:
        return self.text


class Choice(models.Model):
    """One of the answers, and how many people gave it."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="choices")
    text = models.CharField(max_length=200)
    votes = models.IntegerField(default=0)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text
