"""The list: columns, search, order, pages; and whatever people put into the address."""

import re
from datetime import UTC, datetime

import pytest

from transom.admin.columns import build_column
from transom.db import FieldError


@pytest.fixture
async def questions(client, shop):
    tea, coffee = [await shop.Topic.objects.create(name=name) for name in ("Tea", "Coffee")]
    rows = []
    for number, (text, topic) in enumerate(
        [("Green or black?", tea), ("Milk?", coffee), ("With lemon?", tea), ("Black?", coffee), ("Ice?", tea)]
    ):
        published = datetime(2026, 1, 1 + number, 12, tzinfo=UTC)
        rows.append(
            await shop.Question.objects.create(
                text=text, topic=topic, is_open=number % 2 == 0, published=published
            )
        )
    return rows


def first_cells(page):
    return re.findall(r'<th scope="row"><a href="[^"]+">(.*?)</a></th>', page)


async def listed(client, query=""):
    response = await client.get(f"/admin/shop/question/{query}")
    assert response.status_code == 200
    return first_cells(response.text)


async def test_the_newest_come_first_and_a_page_has_so_many(staff, questions):
    assert await listed(staff) == ["Ice?", "Black?", "With lemon?"]
    assert await listed(staff, "?page=2") == ["Milk?", "Green or black?"]


async def test_a_row_shows_fields_relations_and_methods_each_in_its_way(staff, questions):
    page = (await staff.get("/admin/shop/question/")).text
    row = page[page.index("Ice?") : page.index("</tr>", page.index("Ice?"))]
    cells = re.findall(r"<td>(.*?)</td>", row, re.S)
    assert cells == [
        "Tea",
        '<span class="truth yes">Yes</span>',
        '<time datetime="2026-01-05T12:00:00+00:00">2026-01-05 12:00</time>',
        "ICE?",
        '<span aria-hidden="true">\N{EN DASH}</span><span class="hidden">empty</span>',
    ]


@pytest.mark.parametrize(
    ("order", "first"),
    [
        ("text", "Black?"),
        ("-text", "With lemon?"),
        ("shout", "Black?"),
        ("-shout", "With lemon?"),
        ("topic", "Milk?"),  # Coffee before Tea, as the topics' own order has it
        ("-topic", "Green or black?"),
        ("published", "Green or black?"),
    ],
)
async def test_a_column_orders_the_list(staff, questions, order, first):
    assert (await listed(staff, f"?order={order}"))[0] == first


async def test_the_state_of_the_order_is_in_the_head_and_its_link_turns_it(staff, questions):
    page = (await staff.get("/admin/shop/question/?order=text")).text
    assert re.findall(r'<th scope="col" aria-sort="(\w+)"><a href="([^"]+)">Text', page) == [
        ("ascending", "?order=-text")
    ]
    page = (await staff.get("/admin/shop/question/?order=-text")).text
    assert re.findall(r'<th scope="col" aria-sort="(\w+)"><a href="([^"]+)">Text', page) == [
        ("descending", "?order=text")
    ]
    assert page.count("aria-sort") == 1


@pytest.mark.parametrize(
    "order",
    [
        "password",
        "topic__name",
        "pk",
        "--text",
        "text,published",
        "?",
        "id;drop",
        "-",
        "details__exact",
        "%F0%9F%8D%B5",
    ],
)
async def test_an_order_that_no_column_has_is_ignored(staff, questions, order):
    assert await listed(staff, f"?order={order}") == await listed(staff)


@pytest.mark.parametrize(
    "number", ["", "0", "-1", "x", "1.5", "٣", "1e3", "9" * 400, "9" * 18, "%00", "2+2", "null"]
)
async def test_a_page_that_makes_no_sense_is_the_first_or_the_last(staff, questions, number):
    assert await listed(staff, f"?page={number}") in (await listed(staff), await listed(staff, "?page=2"))


async def test_a_page_beyond_the_last_is_the_last(staff, questions):
    assert await listed(staff, "?page=99") == ["Milk?", "Green or black?"]


async def test_pages_lead_to_each_other_and_keep_search_and_order(staff, questions):
    page = (await staff.get("/admin/shop/question/?q=%3F&order=text")).text
    assert 'rel="next" href="?q=%3F&amp;order=text&amp;page=2"' in page
    assert 'rel="prev"' not in page
    page = (await staff.get("/admin/shop/question/?q=%3F&order=text&page=2")).text
    assert 'rel="prev" href="?q=%3F&amp;order=text"' in page
    assert "Questions 4\N{EN DASH}5 of 5, with “?”" in page


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("black", ["Black?", "Green or black?"]),
        ("BLACK green", ["Green or black?"]),
        ("sugar", ["Milk?"]),  # two choices have it; the row comes once
        ("sugar milk", ["Milk?"]),
        ("100%25", []),
        ("_", []),
        ("'; drop table shop_question; --", []),
    ],
)
async def test_search_finds_every_word_in_any_field_across_relations(
    staff, shop, questions, search, expected
):
    for text in ("White sugar", "Brown sugar"):
        await shop.Choice.objects.create(question=questions[1], text=text)
    assert await listed(staff, f"?q={search}") == expected


@pytest.mark.parametrize(
    "search", ["%00", "a%00b", "x" * 5000, "+".join("abcdefghijklmnop"), "%20", "%C2%A0", "\\", "%25"]
)
async def test_a_strange_search_is_answered(staff, questions, search):
    await listed(staff, f"?q={search}")


async def test_a_query_that_is_no_text_is_a_bad_request(staff):
    assert (await staff.get("/admin/shop/question/?q=%FF")).status_code == 400


async def test_a_list_without_rows_says_so(staff):
    page = (await staff.get("/admin/shop/question/")).text
    assert "There are no questions yet." in page
    assert "<table" not in page
    assert "No question has “zzz”." in (await staff.get("/admin/shop/question/?q=zzz")).text


async def test_a_model_without_search_fields_has_no_search(staff, shop):
    await shop.Tag.objects.create(slug="a", label="A")
    page = (await staff.get("/admin/shop/tag/?q=zzz")).text
    assert 'role="search"' not in page
    assert first_cells(page) == ["a"]


@pytest.mark.parametrize("address", ["/admin/shop/question/", "/admin/shop/choice/", "/admin/shop/note/"])
async def test_a_page_costs_the_same_number_of_statements_whatever_it_shows(
    staff, shop, questions, statements, address
):
    async def cost():
        statements.clear()
        assert (await staff.get(address)).status_code == 200
        return len(statements)

    choice = await shop.Choice.objects.create(question=questions[0], text="yes")
    await shop.Note.objects.create(choice=choice)
    few = await cost()
    for question in questions:
        await shop.Choice.objects.create(question=question, text="no")
        await shop.Note.objects.create(choice=choice)
    assert few == await cost() == 3  # the user, the count, the rows


async def test_a_long_text_is_shortened(staff, shop, questions):
    await shop.Question.objects.filter(pk=questions[-1].pk).update(details="x" * 1000)
    page = (await staff.get("/admin/shop/question/")).text
    assert f"<td>{'x' * 160}…</td>" in page


class TestTimeZone:
    @pytest.fixture
    def settings(self):
        return {"time_zone": "Asia/Kolkata"}

    async def test_times_are_those_of_the_site_in_the_list_and_in_the_form(self, staff, shop, questions):
        assert ">2026-01-05 17:30</time>" in (await staff.get("/admin/shop/question/")).text
        address = f"/admin/shop/question/{questions[-1].pk}/change/"
        assert 'value="2026-01-05T17:30"' in (await staff.get(address)).text
        form = {"topic": questions[-1].topic_id, "text": "Ice?", "published": "2026-01-05T17:31"}
        assert (await staff.post(address, data=form)).status_code == 302
        saved = await shop.Question.objects.get(pk=questions[-1].pk)
        assert saved.published == datetime(2026, 1, 5, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("txt", "did you mean 'text'"),
        ("text__name", "Question.text is no foreign key"),
        ("topic__nam", "Topic has no field 'nam'"),
        ("choices__text", "Question has no field 'choices'"),
        ("slow", "coroutine function"),
    ],
)
def test_a_column_that_is_none_is_refused_with_the_choices(shop, name, message):
    class Owner:
        async def slow(self, row): ...

    with pytest.raises(FieldError, match=re.escape(message)):
        build_column(Owner(), shop.Question, name)
