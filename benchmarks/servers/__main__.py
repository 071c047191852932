"""ASGI servers on one core: answers a second and CPU time of each, Transom against the others."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from harness import Contender, Sample, console, print_machine, report, take_turns
from results import save, stamp, to_entry
from servers.contenders import SERVERS, Certificate, environment
from servers.load import BODY_SIZE, put_load
from servers.process import LOAD_CORE, SERVER_CORE, Served, free_port, serving
from servers.scenarios import CONTENDERS, FILE_SIZE, SCENARIOS, Scenario

WARM_UP = 1  # seconds of load before it counts
TOOLS = {"wrk": "wrk", "h2load": "nghttp2-client", "taskset": "util-linux", "openssl": "openssl"}


def run(server: str, scenario: Scenario, seconds: int, files: Path) -> Sample:
    """Start a server, see that it answers rightly, warm it up, measure it, stop it.

    Raises:
        RunError: it did not start, or did not answer rightly.
    """
    port = free_port()
    certificate = Certificate(files / "chain.pem", files / "key.pem") if scenario.tls else None
    command = SERVERS[server].command(scenario.app, port, certificate=certificate, http2=scenario.http2)
    with serving(command, port, environment(files / "file")) as served:
        if scenario.probe:
            scenario.probe.check(port, tls=scenario.tls, http2=scenario.http2)
        put_load(scenario.load, files, port, WARM_UP)
        return measure(served, scenario, seconds, files)


def measure(served: Served, scenario: Scenario, seconds: int, files: Path) -> Sample:
    """Put load on a running server for that many seconds."""
    before = served.cpu()
    loaded = put_load(scenario.load, files, served.port, seconds)
    cpu, count = served.cpu() - before, loaded.count
    return Sample(
        rate=count.requests / count.seconds,
        cpu=cpu.total / count.requests * 1e6,
        busy=cpu.total / count.seconds,
        load=loaded.cpu / count.seconds,
    )


def make_files(folder: Path) -> None:
    """Make what scenarios need: a file to send, one to upload, and a certificate for 127.0.0.1 that is valid for two days."""
    (folder / "file").write_bytes(b"x" * FILE_SIZE)
    (folder / "body").write_bytes(b"x" * BODY_SIZE)
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "chain.pem")),
        ],
        check=True,
        capture_output=True,
    )


def compare(scenario: Scenario, names: Sequence[str], options: argparse.Namespace, files: Path) -> None:
    """Run one scenario, print its table, and keep its samples unless only some contenders ran."""
    contenders = [
        Contender(name, CONTENDERS[name], partial(run, CONTENDERS[name], scenario, options.seconds, files))
        for name in names
    ]
    runs = take_turns(contenders, options.rounds, scenario.title)
    report(scenario.title, contenders, runs)
    if not options.contender and not options.no_save:
        entry = stamp(to_entry(scenario.title, contenders, runs), options.rounds)
        save(scenario.kind, scenario.name, entry, list(SCENARIOS))


def parse() -> argparse.Namespace:
    """Return the options, checked."""
    parser = argparse.ArgumentParser(prog="python -m servers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of load in each run, after the warm-up")
    parser.add_argument(
        "--scenario", action="append", choices=SCENARIOS, help="one of several; all without it"
    )
    parser.add_argument(
        "--contender",
        action="append",
        choices=CONTENDERS,
        help="one of several to run beside transom; the results are not kept, as they are not the whole table",
    )
    parser.add_argument("--no-save", action="store_true", help="print, but do not keep the results")
    return parser.parse_args()


def main() -> None:
    """Compare the servers in each scenario and print the tables."""
    options = parse()
    for tool, package in TOOLS.items():
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is needed; on Debian: apt install {package}")
    print_machine(options.rounds)
    console.print(f"one worker on core {SERVER_CORE}, the load on core {LOAD_CORE}", markup=False)
    with tempfile.TemporaryDirectory() as folder:
        make_files(Path(folder))
        for scenario in map(SCENARIOS.__getitem__, options.scenario or SCENARIOS):
            wanted = {"transom", *(options.contender or scenario.contenders)}
            compare(scenario, [name for name in scenario.contenders if name in wanted], options, Path(folder))


if __name__ == "__main__":
    main()
