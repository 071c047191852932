"""Where the time of a server goes under a scenario's load: its Python functions, by samples of py-spy, in µs of CPU an answer.

What C code does counts for the Python function that called it; `--native` shows it by itself, as far as it has symbols.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness import RunError, Sample, console
from servers.__main__ import WARM_UP, make_files, measure
from servers.contenders import SERVERS, Certificate, environment
from servers.load import put_load
from servers.process import CPU, LOAD_CORE, Served, free_port, on_core, serving
from servers.scenarios import SCENARIOS, Scenario

SAMPLES = 250  # a second
ROWS = 40


@dataclass(frozen=True, slots=True)
class Share:
    """How often a function was seen, of all samples: itself at work, and itself or what it called."""

    function: str
    own: float
    total: float


def parse_stacks(text: str) -> Iterator[tuple[list[str], int]]:
    """Iterate over the functions of each stack, outermost first, and how often it was seen.

    A line of the "raw" format is `name (file:line);name (file:line) count`. Lines of a function are not told apart here.
    """
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        yield [_without_line(frame) for frame in stack.split(";")], int(count)


def _without_line(frame: str) -> str:
    name, separator, line = frame.rpartition(":")
    return f"{name})" if separator and line.rstrip(")").isdigit() else frame


def tally(stacks: Iterable[tuple[list[str], int]]) -> list[Share]:
    """Return the functions by how much they do themselves, the most first."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for functions, count in stacks:
        own[functions[-1]] += count
        total.update(dict.fromkeys(functions, count))  # once, however often it called itself
    samples = own.total() or 1
    shares = (Share(name, own[name] / samples, total[name] / samples) for name in total)
    return sorted(shares, key=lambda share: (-share.own, -share.total, share.function))


def spy(served: Served, seconds: int, native: bool, folder: Path) -> str:
    """Return what py-spy saw of a server within some seconds, in its raw format.

    Raises:
        RunError: py-spy could not look; it needs leave to trace other processes.
    """
    output = folder / "stacks"
    command = [
        *(
            str(Path(sys.executable).parent / "py-spy"),
            "record",
            "--pid",
            str(served.session),
            "--subprocesses",
        ),
        *("--duration", str(seconds), "--rate", str(SAMPLES), "--format", "raw", "--output", str(output)),
        *(("--native",) if native else ()),
    ]
    done = subprocess.run(on_core(LOAD_CORE, command), check=False, capture_output=True, text=True)
    if done.returncode or not output.exists():
        raise RunError(f"py-spy failed:\n{done.stderr}")
    return output.read_text()


def look(
    server: str, scenario: Scenario, seconds: int, native: bool, folder: Path
) -> tuple[Sample, CPU, str]:
    """Return what an answer costs without being watched, how that splits, and then the stacks while being watched."""
    port = free_port()
    certificate = Certificate(folder / "chain.pem", folder / "key.pem") if scenario.tls else None
    command = SERVERS[server].command(scenario.app, port, certificate=certificate, http2=scenario.http2)
    with serving(command, port, environment(folder / "file")) as served:
        if scenario.probe:
            scenario.probe.check(port, tls=scenario.tls, http2=scenario.http2)
        put_load(scenario.load, folder, port, WARM_UP)
        before = served.cpu()
        sample = measure(served, scenario, seconds, folder)
        split = served.cpu() - before
        load = threading.Thread(target=put_load, args=(scenario.load, folder, port, seconds + 2))
        load.start()
        try:
            return sample, split, spy(served, seconds, native, folder)
        finally:
            load.join()


def print_shares(shares: Iterable[Share], cpu: float) -> None:
    """Print the functions that do most, in microseconds an answer."""
    console.print("| own µs | own | with what it calls | function |\n|---:|---:|---:|---|", markup=False)
    for share in list(shares)[:ROWS]:
        row = f"| {share.own * cpu:.2f} | {share.own:.1%} | {share.total:.1%} | {share.function} |"
        console.print(row, markup=False, soft_wrap=True)


def main() -> None:
    """Watch one server in one scenario and print where the time goes."""
    parser = argparse.ArgumentParser(prog="python -m servers.hotspots", description=__doc__)
    parser.add_argument("--scenario", choices=SCENARIOS, default="plaintext")
    parser.add_argument("--server", choices=SERVERS, default="transom")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--native", action="store_true", help="show C functions too")
    options = parser.parse_args()
    scenario = SCENARIOS[options.scenario]
    with tempfile.TemporaryDirectory() as folder:
        make_files(Path(folder))
        try:
            sample, split, stacks = look(
                options.server, scenario, options.seconds, options.native, Path(folder)
            )
        except RunError as exc:
            raise SystemExit(str(exc)) from exc
    console.print(
        f"{options.server}, {scenario.title}: {sample.rate:,.0f} a second, {sample.cpu:.1f} µs of CPU an answer, "
        f"{split.system / split.total:.0%} of it in the kernel\n",
        markup=False,
    )
    print_shares(tally(parse_stacks(stacks)), sample.cpu)


if __name__ == "__main__":
    main()
