"""The harness of the benchmarks: turns in both orders, ratios within a round, tables. No test asserts a time."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
MODULES = ("harness", "micro", "results", "routing", "servers", "orm")


@pytest.fixture(scope="module", autouse=True)
def on_path() -> Iterator[None]:
    """Let the scripts of the benchmarks import each other as where they run, and leave no trace of it."""
    sys.path.insert(0, str(FOLDER))
    yield
    sys.path.remove(str(FOLDER))
    for name in list(sys.modules):
        if name.partition(".")[0] in MODULES:
            del sys.modules[name]


def load(name: str) -> ModuleType:
    return importlib.import_module(name)


# Turns and ratios.


def contender(name: str, run: Any) -> Any:
    return load("harness").Contender(name, "httpx", run)


def sample(rate: float, cpu: float = 10.0, busy: float = 1.0) -> Any:
    return load("harness").Sample(rate, cpu, busy)


def test_the_order_is_reversed_every_other_round():
    ran: list[str] = []

    def named(name: str):
        def run():
            ran.append(name)
            return sample(1.0)

        return contender(name, run)

    runs = load("harness").take_turns([named("a"), named("b")], rounds=3, title="t")
    assert ran == ["a", "b", "b", "a", "a", "b"]
    assert {name: len(run.samples) for name, run in runs.items()} == {"a": 3, "b": 3}


def test_a_contender_that_fails_drops_out_and_the_others_go_on():
    """Half of its rounds would be paired with the wrong rounds of the others."""
    answers = iter([sample(1.0), None, sample(1.0)])
    asked: list[int] = []

    def fails_in_the_second_round():
        asked.append(1)
        if (answer := next(answers)) is None:
            raise load("harness").RunError("no answer\nand its log")
        return answer

    runs = load("harness").take_turns(
        [contender("a", lambda: sample(2.0)), contender("b", fails_in_the_second_round)], rounds=3, title="t"
    )
    assert len(runs["a"].samples) == 3
    assert runs["b"].samples == []
    assert runs["b"].failure == "no answer\nand its log"
    assert len(asked) == 2


def test_a_ratio_is_taken_within_a_round_and_comes_with_its_spread():
    assert load("harness").spread([2.0, 9.0, 4.0], [1.0, 3.0, 4.0]) == "2.00x (1.00 to 3.00)"


def test_there_is_no_ratio_to_who_failed():
    assert load("harness").spread([2.0], []) == "–"  # noqa: RUF001 - as the table has it


def test_a_contender_is_shown_with_its_version():
    assert contender("httpx client", None).label.startswith("httpx client 0.")


def test_what_was_measured_is_printed_as_a_table(capsys: pytest.CaptureFixture[str]):
    harness = load("harness")
    runs = {"a": harness.Runs([sample(2000, 5.0)]), "b": harness.Runs([], "did not start")}
    harness.console.file = sys.stdout
    harness.report("Title", [contender("a", None), contender("b", None)], runs)
    printed = capsys.readouterr().out
    assert "| 2,000 | 5.0 | 1.00x (1.00 to 1.00) | 1.00x (1.00 to 1.00) |" in printed
    assert "b failed: did not start" in printed


# What load generators say.

WRK = """Running 3s test @ http://127.0.0.1:8765/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     0.90ms  215.24us   4.44ms   85.27%
    Req/Sec    70.68k     2.83k   75.22k    80.00%
  210836 requests in 3.00s, 29.56MB read
{problem}Requests/sec:  70275.14
Transfer/sec:      9.85MB
"""

H2LOAD = """finished in 2.00s, 500.00 req/s, 71.78KB/s
requests: 1000 total, 1010 started, 1000 done, {succeeded} succeeded, {failed} failed, 0 errored, 0 timeout
status codes: {succeeded} 2xx, {redirected} 3xx, {failed} 4xx, 0 5xx
"""


def test_wrk_counts_requests_and_the_seconds_they_took():
    servers_load = load("servers.load")
    assert servers_load.Wrk().parse(WRK.format(problem="")) == servers_load.Count(210836, 3.0)
    minutes = WRK.format(problem="").replace("3.00s,", "1.50m,")
    assert servers_load.Wrk().parse(minutes).seconds == pytest.approx(90.0)


@pytest.mark.parametrize(
    "problem",
    [
        "  Non-2xx or 3xx responses: 3\n",
        "  Socket errors: connect 0, read 12, write 0, timeout 0\n",
    ],
)
def test_wrk_counts_nothing_when_an_answer_was_wrong(problem: str):
    with pytest.raises(load("harness").RunError, match="not answered cleanly"):
        load("servers.load").Wrk().parse(WRK.format(problem=problem))


@pytest.mark.parametrize("output", ["", WRK.format(problem="").replace("210836 requests", "0 requests")])
def test_wrk_without_an_answer_is_an_error(output: str):
    with pytest.raises(load("harness").RunError, match="nothing"):
        load("servers.load").Wrk().parse(output)


def test_wrk_is_told_of_its_script_and_scheme():
    wrk = load("servers.load").Wrk(16, scheme="https", script="post.lua", arguments=("99",))
    command = wrk.command(8765, 3, Path("/files"))
    assert command[:4] == ["wrk", "-t1", "-c16", "-d3s"]
    assert Path(command[5]).is_file()
    assert command[6:] == ["https://127.0.0.1:8765/", "--", "99"]


def test_h2load_counts_what_succeeded():
    servers_load = load("servers.load")
    output = H2LOAD.format(succeeded=1000, failed=0, redirected=0)
    assert servers_load.H2load().parse(output) == servers_load.Count(1000, 2.0)


@pytest.mark.parametrize(("failed", "redirected"), [(1, 0), (0, 1)])
def test_h2load_counts_nothing_when_an_answer_was_wrong(failed: int, redirected: int):
    output = H2LOAD.format(succeeded=1000 - failed, failed=failed, redirected=redirected)
    with pytest.raises(load("harness").RunError, match="not answered cleanly"):
        load("servers.load").H2load().parse(output)


def test_h2load_speaks_http2_and_nothing_else_unless_it_is_told_to():
    make = load("servers.load").H2load
    command = make(4, streams=100, scheme="https").command(8765, 3, Path("/files"))
    assert command == [
        *("h2load", "-t1", "-c4", "-D3", "-m100", "--npn-list=h2", "https://127.0.0.1:8765/"),
    ]
    assert "--h1" in make(streams=0).command(8765, 3, Path("/files"))


def test_h2load_uploads_a_file_that_is_made_for_it(tmp_path: Path):
    command = load("servers.load").H2load(upload=True).command(8765, 3, tmp_path)
    load("servers.__main__").make_files(tmp_path)
    body = Path(command[command.index("-d") + 1])
    assert body.stat().st_size == load("servers.load").BODY_SIZE


# Servers.


def test_a_command_line_names_the_application_and_the_port():
    servers = load("servers.contenders")
    certificate = servers.Certificate(Path("/c.pem"), Path("/k.pem"))
    for server in servers.SERVERS.values():
        line = server.command("plaintext:app", 8765, certificate=certificate, http2=True, patient=True)
        assert Path(line[0]).name == server.name
        assert "plaintext:app" in line
        assert any("8765" in argument for argument in line)
        assert "/c.pem" in line
        assert "/k.pem" in line


def test_every_scenario_serves_an_application_that_is_there():
    servers = load("servers.scenarios")
    for scenario in servers.SCENARIOS.values():
        module, _, name = scenario.app.partition(":")
        source = (FOLDER / "servers" / "apps" / f"{module}.py").read_text()
        assert f"async def {name}(scope, receive, send):" in source
        assert scenario.contenders[0] == "transom"
        assert set(scenario.contenders) <= set(servers.CONTENDERS)


def test_http2_has_a_table_of_its_own():
    kinds = {name: scenario.kind for name, scenario in load("servers.scenarios").SCENARIOS.items()}
    assert set(kinds.values()) == {"server", "http2"}
    assert kinds["tls"] == "server"
    assert all((kind == "http2") == name.startswith("h2") for name, kind in kinds.items())
    assert set(kinds.values()) <= set(load("results").TABLES)


def test_a_percentile_is_a_value_that_was_measured():
    percentile = load("servers.clients.steady").percentile
    assert percentile(list(range(1, 101)), 99) == 99
    assert percentile([3.0], 99) == 3.0
    assert percentile([2.0, 1.0], 50) == 1.0


@pytest.mark.parametrize("size", [64, 1000, 70_000])
def test_a_masked_frame_is_what_a_websocket_library_reads(size: int):
    from websockets.frames import Frame
    from websockets.streams import StreamReader

    reader = StreamReader()
    reader.feed_data(load("servers.clients.websocket").frame(b"x" * size, b"\x01\x02\x03\x04"))
    parsing = Frame.parse(reader.read_exact, mask=True)
    with pytest.raises(StopIteration) as stopped:
        next(parsing)
    assert stopped.value.value.data == b"x" * size


# Where the time goes.

STACKS = """run (loop.py:1);data_received (connection.py:10);send (cycle.py:20) 6
run (loop.py:1);data_received (connection.py:12) 3
run (loop.py:2);again (a.py:1);again (a.py:1);uv_run (core.c) 1
"""


def test_samples_are_counted_by_function_own_and_with_what_it_calls():
    hotspots = load("servers.hotspots")
    shares = {
        share.function: (share.own, share.total) for share in hotspots.tally(hotspots.parse_stacks(STACKS))
    }
    assert shares == {
        "send (cycle.py)": (0.6, 0.6),
        "data_received (connection.py)": (0.3, 0.9),
        "uv_run (core.c)": (0.1, 0.1),
        "run (loop.py)": (0.0, 1.0),
        "again (a.py)": (0.0, 0.1),
    }


# Tables.


def scenario_entry(**rates: list[float]) -> Any:
    harness, results = load("harness"), load("results")
    contenders = [contender(name, None) for name in rates]
    runs = {
        name: harness.Runs([sample(rate, busy=0.5 if name == "granian" else 1.0) for rate in values])
        if values
        else harness.Runs([], "did not start\nits log")
        for name, values in rates.items()
    }
    return results.stamp(results.to_entry("plaintext, 13 bytes", contenders, runs), 2)


def test_a_table_has_scenarios_down_and_contenders_across():
    entry = scenario_entry(
        transom=[200.0, 300.0], uvicorn=[100.0, 100.0], granian=[100.0, 400.0], fastpysgi=[]
    )
    text = "\n".join(load("results").server_tables({"plaintext": entry}))
    assert "| plaintext, 13 bytes | 250 (10.0) | 100 (10.0) | 250 (10.0) † | failed |" in text
    assert "| plaintext, 13 bytes | 2.50x (2.00 to 3.00) | 1.38x (0.75 to 2.00) | – |" in text  # noqa: RUF001
    assert "Failed: fastpysgi, plaintext, 13 bytes: did not start" in text
    assert "its log" not in text
    assert "| plaintext, 13 bytes: 2.0x uvicorn | 2.50x (2.00 to 3.00) | reached |" in text
    assert "| plaintext, 13 bytes: 1.8x granian | 1.38x (0.75 to 2.00) | **not reached** |" in text
    assert "| plaintext, 13 bytes: 0.65x fastpysgi | – | **not reached** |" in text  # noqa: RUF001


def test_memory_is_a_table_of_kib_with_the_aims():
    servers = {
        "transom": {
            "taken": "t",
            "on": "m",
            "version": "1",
            "failure": "",
            "idle": 8192.0,
            "half_open": 6145.0,
        },
        "other": {"taken": "t", "on": "m", "version": "2", "failure": "why", "idle": None, "half_open": None},
    }
    text = "\n".join(load("results").memory_tables(servers))
    assert "| transom 1 | 8.0 KiB | 6.0 KiB |" in text
    assert "| other 2 | failed | failed |" in text
    assert "Failed: other: why" in text
    assert "| an idle connection: at most 8 KiB | 8.0 KiB | reached |" in text
    assert "| a half-open connection: at most 6 KiB | 6.0 KiB | **not reached** |" in text


def test_slowloris_is_a_table_of_latencies_with_the_aim():
    numbers = {"alone": 1.0, "beside": 1.4, "longest": 9.0, "open": 10000, "opened_again": 3}
    servers = {
        "transom": {"taken": "t", "on": "m", "version": "1", "failure": "", "samples": [numbers]},
        "other": {"taken": "t", "on": "m", "version": "2", "failure": "why", "samples": []},
    }
    text = "\n".join(load("results").slowloris_tables(servers))
    assert "| transom 1 | 1.00 ms | 1.40 ms | 1.40x (1.40 to 1.40) | 9.0 ms | 10,000 | 3 |" in text
    assert "| other 2 | failed |" in text
    assert "| p99 of others at most 1.5x | 1.40x | reached |" in text


def test_results_are_kept_by_scenario_and_a_later_run_replaces_an_earlier_one(tmp_path: Path):
    results = load("results")
    for key, rates in (("json", [1.0]), ("plaintext", [1.0]), ("json", [5.0])):
        results.save("server", key, scenario_entry(transom=rates), ["plaintext", "json"], tmp_path)
    (path,) = tmp_path.iterdir()
    assert path.name == f"server-{sys.version_info.major}.{sys.version_info.minor}.json"
    entries = results.load(path)
    assert list(entries) == ["plaintext", "json"]
    assert entries["json"]["contenders"]["transom"]["samples"][0]["rate"] == 5.0
    assert len(path.read_text().splitlines()) == 4  # an entry a line: a change is one line of a diff


def test_a_report_gets_new_tables_between_its_marks_and_keeps_the_rest(tmp_path: Path):
    results = load("results")
    entry = scenario_entry(transom=[200.0], uvicorn=[100.0])
    (tmp_path / "server-3.13.json").write_text(json.dumps({"plaintext": entry}))
    report = (
        "before\n<!-- server 3.13 -->\nold\n<!-- end -->\nbetween\n<!-- server 3.11 -->\nkept\n<!-- end -->\n"
    )
    filled = results.fill(report, tmp_path)
    assert filled.startswith("before\n<!-- server 3.13 -->\n")
    assert "| plaintext, 13 bytes | 2.00x (2.00 to 2.00) |" in filled
    assert "old" not in filled
    assert filled.endswith("<!-- end -->\nbetween\n<!-- server 3.11 -->\nkept\n<!-- end -->\n")
    assert results.fill(filled, tmp_path) == filled


def test_the_published_report_has_a_place_for_every_table():
    text = (FOLDER / "RESULTS.md").read_text()
    for kind in load("results").TABLES:
        for python in ("3.13",) if kind.startswith("orm_") else ("3.11", "3.13"):
            assert f"<!-- {kind} {python} -->\n" in text


# In earnest, without looking at the numbers.


@pytest.mark.parametrize("case", ["small", "browser", "targets", "distinct", "page", "post"])
def test_a_micro_case_is_answered_by_the_server_of_this_tree(case: str, monkeypatch: pytest.MonkeyPatch):
    micro = load("micro")
    monkeypatch.setattr(micro, "SLICE", 20)
    with micro.Progress(disable=True) as progress:
        assert asyncio.run(micro.best_of(case, 1, progress)) > 0


def test_every_case_of_routing_finds_what_it_looks_for():
    routing = load("routing")
    found = {name: call() for name, call in routing.cases(routing.make_urlconf(12), 12).items()}
    assert [name for name, result in found.items() if result is None] == ["nothing"]
    assert found["reverse"] == "/section-3/42/"


@pytest.fixture
def tools() -> None:
    """What a measurement calls; as with services, only continuous integration must have it."""
    for tool in load("servers.__main__").TOOLS:
        if not shutil.which(tool):
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{tool} is needed")


@pytest.fixture
def run_scenario(tools: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Any], Any]:
    """Run a scenario with our server for a second, without the warm-up before it."""
    servers_main = load("servers.__main__")
    put_load = servers_main.put_load
    monkeypatch.setattr(servers_main, "WARM_UP", 0)
    monkeypatch.setattr(
        servers_main, "put_load", lambda *arguments: put_load(*arguments) if arguments[-1] else None
    )
    servers_main.make_files(tmp_path)
    return lambda scenario: servers_main.run("transom", scenario, 1, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "plaintext",
        "pipelined",
        "download",
        "upload-chunked",
        "echo",
        "file",
        "h2",
        "h2-100",
        "h2-upload",
        "h2-tls",
    ],
)
def test_a_scenario_is_answered_rightly_and_measured(name: str, run_scenario: Callable[[Any], Any]):
    measured = run_scenario(load("servers.scenarios").SCENARIOS[name])
    assert measured.rate > 0
    assert measured.cpu > 0


@pytest.mark.slow
def test_a_websocket_scenario_is_answered_rightly_and_measured(run_scenario: Callable[[Any], Any]):
    assert run_scenario(load("servers.scenarios").SCENARIOS["websocket"]).rate > 0


@pytest.mark.slow
def test_a_server_that_answers_wrongly_is_found_out_before_the_load(run_scenario: Callable[[Any], Any]):
    scenario = replace(load("servers.scenarios").SCENARIOS["page"], app="plaintext:app")
    with pytest.raises(load("harness").RunError, match="has 13 bytes, not 10240"):
        run_scenario(scenario)


@pytest.mark.slow
def test_a_server_that_does_not_speak_http2_is_found_out_before_the_load(
    run_scenario: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
):
    contenders = load("servers.contenders")
    plain = replace(contenders.SERVERS["uvicorn"], http2="--http h11")
    monkeypatch.setitem(contenders.SERVERS, "transom", plain)
    with pytest.raises(load("harness").RunError, match="the first request was not answered"):
        run_scenario(load("servers.scenarios").SCENARIOS["h2"])


@pytest.mark.slow
def test_a_server_that_does_not_start_fails_with_what_it_said(run_scenario: Callable[[Any], Any]):
    scenario = replace(load("servers.scenarios").SCENARIOS["plaintext"], app="no_such_module:app")
    with pytest.raises(load("harness").RunError, match=r"(?s)ended with .*no_such_module"):
        run_scenario(scenario)


@pytest.mark.slow
def test_the_memory_of_a_connection_is_measured(monkeypatch: pytest.MonkeyPatch):
    memory = load("servers.memory")
    monkeypatch.setattr(memory, "SMALL", 10)
    monkeypatch.setattr(memory, "LARGE", 60)
    monkeypatch.setattr(memory, "SETTLE", 0.1)
    sizes = {name: size for name, size, failure in memory.measure("transom") if not failure}
    assert set(sizes) == {"idle", "half_open"}
    assert None not in sizes.values()


@pytest.mark.slow
def test_a_steady_client_is_measured_beside_half_open_connections(monkeypatch: pytest.MonkeyPatch):
    slowloris = load("servers.slowloris")
    monkeypatch.setattr(slowloris, "HALF_OPEN", 50)
    monkeypatch.setattr(slowloris, "RATE", 100)
    measured = slowloris.measure("transom", 1)
    assert measured["open"] == 50
    assert measured["beside"] > 0


def test_half_open_connections_that_are_closed_are_opened_again():
    half_open = load("servers.clients.half_open")
    listener = socket.create_server(("127.0.0.1", 0))
    clients = half_open.HalfOpen(listener.getsockname()[1], 3, 1_000_000)
    clients._allowance = 3.0
    accepted: list[socket.socket] = []

    def accept(count: int) -> None:
        accepted.extend(listener.accept()[0] for _ in range(count))

    thread = threading.Thread(target=accept, args=(3,))
    thread.start()
    while clients.numbers()["open"] < 3:
        clients.turn()
    thread.join()
    assert accepted[0].recv(4096) == half_open.HALF
    accepted[0].close()
    thread = threading.Thread(target=accept, args=(1,))
    thread.start()
    while clients.numbers() != {"open": 3, "opened_again": 1}:
        clients.turn()
    thread.join()
    for connection in (*accepted, listener, *clients._sockets.values()):
        connection.close()
    clients._poll.close()


# Models.

PREPARED = ["transom_models", "asyncpg_bare", "sqlite3_raw"]  # what runs without the peers


@pytest.fixture(scope="module")
def prepared(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """URLs of databases that contenders have filled, by module and vendor."""
    folder = tmp_path_factory.mktemp("benchmarks")
    urls = {
        f"{module} {vendor}": url
        for module, vendor, url in (
            ("transom_models", "sqlite", f"sqlite:///{folder / 'ours'}.sqlite3"),
            ("sqlite3_raw", "sqlite", f"sqlite:///{folder / 'raw'}.sqlite3"),
            ("transom_models", "postgresql", postgres_url),
        )
    }
    for key, url in urls.items():
        run_contender(key.partition(" ")[0], "prepare", url)
    yield urls
    asyncio.run(_drop_tables(postgres_url))


async def _drop_tables(url: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    await connection.execute("DROP TABLE item, post, author, entry")
    await connection.close()


def run_contender(module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", f"orm.contenders.{module}", *arguments]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


SCENARIOS = [
    "get",
    "page",
    "list",
    "join",
    "prefetch",
    "insert",
    "bulk",
    "update",
    "delete",
    "aggregate",
    "gather",
]


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("who", ["transom_models sqlite", "sqlite3_raw sqlite", "transom_models postgresql"])
def test_a_data_layer_gives_the_right_answers_and_is_measured(
    who: str, scenario: str, prepared: dict[str, str]
):
    if scenario == "delete":  # there must be something to delete
        run_contender(who.partition(" ")[0], "bulk", prepared[who], "0")
    printed = json.loads(run_contender(who.partition(" ")[0], scenario, prepared[who], "0"))
    assert printed["operations"] >= 1


def test_a_wrong_answer_of_a_data_layer_is_refused():
    scenarios = load("orm.scenarios")
    scenarios.check("get", 7, "item 7")
    with pytest.raises(ValueError, match="gave 'item 8', expected 'item 7'"):
        scenarios.check("get", 7, "item 8")


def test_what_sqlite_has_as_text_counts_as_what_it_says():
    scenarios = load("orm.scenarios")
    scenarios.check("list", 1, (1000, "0.02", "2026-01-01 00:02:00+00:00"))
    with pytest.raises(ValueError, match="expected"):
        scenarios.check("list", 1, (1000, "0.03", "2026-01-01 00:02:00+00:00"))


def test_an_aim_of_models_is_measured_against_the_best_other_orm():
    results = load("results")
    entry = scenario_entry(transom=[300.0], django=[50.0], oxyde=[100.0])
    text = "\n".join(results.orm_tables("postgresql", {"bulk": entry}))
    assert "at least 3.0x the rate of the best other ORM (oxyde) | 3.00x (3.00 to 3.00) | reached |" in text


def test_an_aim_in_cpu_time_is_an_upper_bound():
    results = load("results")
    entry = scenario_entry(transom=[300.0], django=[50.0])
    for name, cpu in (("transom", 25.0), ("django", 99.0)):
        entry["contenders"][name]["samples"][0]["cpu"] = cpu
    text = "\n".join(results.orm_tables("postgresql", {"get": entry}))
    assert (
        "at most 0.25x the CPU time of the best other ORM (django) | 0.25x (0.25 to 0.25) | **not reached** |"
        in text
    )
