"""List, detail, vote and results; the results are also sent live."""

from transom.channels import group_send, groups
from transom.db import F
from transom.web import Request, Response, WebSocket, get_object_or_404, messages, redirect, render

from .models import Question, now


async def index(request: Request) -> Response:
    """Show the questions that are published, the latest first."""
    questions = Question.objects.filter(published__lte=now())
    return await render(request, "polls/index.html", {"questions": questions})


async def detail(request: Request, pk: int) -> Response:
    """Show one question and its choices."""
    question = await get_object_or_404(published(), pk=pk)
    return await render(request, "polls/detail.html", {"question": question})


async def vote(request: Request, pk: int) -> Response:
    """Count one vote, or show the form again where nothing was chosen."""
    question = await get_object_or_404(published(), pk=pk)
    form = await request.form()
    choice = str(form.get("choice", ""))
    counted = choice.isdecimal() and await question.choices.filter(pk=int(choice)).update(
        votes=F("votes") + 1
    )
    if not counted:
        context = {"question": question, "error": "Choose one of the answers."}
        return await render(request, "polls/detail.html", context, status=422)
    await group_send(group_name(pk), await tally(question))
    await messages.success(request, "Your vote was counted.")
    return redirect("polls:results", pk=pk)


async def results(request: Request, pk: int) -> Response:
    """Show the votes for each choice."""
    question = await get_object_or_404(published(), pk=pk)
    return await render(request, "polls/results.html", {"question": question, "tally": await tally(question)})


async def live(socket: WebSocket, pk: int) -> None:
    """Send the tally now and after every vote."""
    question = await get_object_or_404(published(), pk=pk)
    async with groups.subscribe(group_name(pk)) as tallies:
        await socket.accept()
        # Votes between the page and this connection must show too; those after the subscription arrive by it.
        await socket.send_json(await tally(question))
        await socket.send_each(tallies)


def published():
    """Return the questions that visitors may see."""
    return Question.objects.filter(published__lte=now())


def group_name(pk: int) -> str:
    """Return the name of the group that hears about the votes of one question."""
    return f"poll-{pk}"


async def tally(question: Question) -> dict[str, object]:
    """Return the votes by choice and their sum, ready to be sent as JSON."""
    choices = [choice async for choice in question.choices.all()]
    return {
        "total": sum(choice.votes for choice in choices),
        "choices": [{"id": choice.pk, "text": choice.text, "votes": choice.votes} for choice in choices],
    }
