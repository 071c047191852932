from transom.db import create_tables, models
from transom.web import App, Request, Response, path, redirect, render_string

PAGE = """<!doctype html><title>Guest book</title><h1>Guest book</h1>
<form method="post">{{ csrf_input }}<input name="text" aria-label="Entry" required><button>Sign</button></form>
<ul>{% for entry in entries %}<li>{{ entry.text }}</li>{% endfor %}</ul>"""


class Entry(models.Model):
    text = models.CharField(max_length=200)


async def index(request: Request) -> Response:
    if request.method == "POST":
        await Entry.objects.create(text=str((await request.form())["text"]))
        return redirect("index")
    return await render_string(request, PAGE, {"entries": Entry.objects.order_by("-id")})


async def start(app: App) -> None:
    await create_tables(Entry)


app = App([path("", index, name="index")], lifespan=start, database_url="sqlite:///guestbook.sqlite3")
