"""Four questions to vote on: `python -m polls.sample_data`. Running it again changes nothing."""

import asyncio
from datetime import timedelta

from rich.progress import track

from mysite.app import app
from polls.models import Choice, Question, now
from transom.db import atomic, connections

POLLS = {
    "Which part of a web site is the hardest to get right?": {
        "The data model": 14,
        "Forms and their errors": 9,
        "Live updates": 11,
        "Naming the repository": 21,
    },
    "Tabs or spaces?": {"Tabs": 12, "Spaces": 17, "Whatever the formatter says": 33},
    "When do you write the test?": {
        "Before the code": 8,
        "With the code": 15,
        "After the first bug": 13,
        "What test?": 2,
    },
    "What should the next example be?": {"A chat": 3, "A shop": 2, "A wiki": 5, "A weather station": 4},
}


async def load() -> int:
    """Add the questions that are missing and return how many that were."""
    added = 0
    for age, (text, choices) in enumerate(track(POLLS.items(), description="Sample data")):
        if await Question.objects.filter(text=text).exists():
            continue
        async with atomic():
            question = await Question.objects.create(text=text, published=now() - timedelta(days=age))
            for choice, votes in choices.items():
                await Choice.objects.create(question=question, text=choice, votes=votes)
        added += 1
    return added


async def main() -> None:
    """Load the sample data into the site's database."""
    connections.configure(app.settings.databases)
    try:
        added = await load()
    finally:
        await connections.aclose()
    print(f"Sample data: {added} polls added, {len(POLLS) - added} were there already.")


if __name__ == "__main__":
    asyncio.run(main())
