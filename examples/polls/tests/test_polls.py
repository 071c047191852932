"""The site as its visitors see it."""

import pytest

from polls.models import Choice, Question
from transom.testing import Client

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
async def question(db: None) -> Question:
    """One question with two choices."""
    question = await Question.objects.create(text="Tabs or spaces?")
    for text in ("Tabs", "Spaces"):
        await question.choices.create(text=text)
    return question


async def choices(question: Question) -> list[Choice]:
    return [choice async for choice in question.choices.all()]


async def post_vote(client: Client, question: Question, **data: object):
    await client.get(f"/polls/{question.pk}/")  # the page brings the token
    data["csrfmiddlewaretoken"] = client.cookies["csrftoken"]
    return await client.post(f"/polls/{question.pk}/vote/", data=data, follow_redirects=True)


async def test_the_list_links_to_the_question(client: Client, question: Question):
    page = await client.get("/", follow_redirects=True)
    assert "Tabs or spaces?" in page.text
    assert f'href="/polls/{question.pk}/"' in page.text


async def test_a_vote_is_counted_and_leads_to_the_results(client: Client, question: Question):
    tabs, _ = await choices(question)
    page = await post_vote(client, question, choice=tabs.pk)
    assert page.url.path == f"/polls/{question.pk}/results/"
    assert "1 vote<" in page.text
    assert "Your vote was counted." in page.text
    assert "Your vote was counted." not in (await client.get(page.url.path)).text  # it is said once
    assert [choice.votes for choice in await choices(question)] == [1, 0]


@pytest.mark.parametrize("data", [{}, {"choice": ""}, {"choice": "none"}, {"choice": 999_999}])
async def test_no_choice_shows_the_form_again_with_the_error(
    client: Client, question: Question, data: dict[str, object]
):
    page = await post_vote(client, question, **data)
    assert page.status_code == 422
    assert "Choose one of the answers." in page.text
    assert "Spaces" in page.text


async def test_a_vote_without_the_token_is_refused(client: Client, question: Question):
    tabs, _ = await choices(question)
    page = await client.post(f"/polls/{question.pk}/vote/", data={"choice": tabs.pk})
    assert page.status_code == 403
    assert [choice.votes for choice in await choices(question)] == [0, 0]


async def test_everyone_who_watches_sees_the_vote(client: Client, question: Question):
    tabs, _ = await choices(question)
    async with (
        client.websocket(f"/polls/{question.pk}/live/") as one,
        client.websocket(f"/polls/{question.pk}/live/") as two,
    ):
        assert (await one.receive_json())["total"] == (await two.receive_json())["total"] == 0
        await post_vote(client, question, choice=tabs.pk)
        assert (await one.receive_json()) == (await two.receive_json())
    assert (await Choice.objects.get(pk=tabs.pk)).votes == 1


async def test_a_question_that_does_not_exist_is_not_found(client: Client):
    assert (await client.get("/polls/1/")).status_code == 404
