"""What the fault layer of a local world costs while it has nothing to do.

    python -m bench.fault_layer [TRIES]

Rehearsals of pluggy 1.6.0, as in ``bench.rehearsal``, with unmoor as it is and with a copy whose servers have no layer,
in turns; TRIES of each (default 5) after one that does not count. The layer may add 2 %. Then requests to one server
over one connection, with the layer and without, in turns; and with a plan whose faults are never met.
"""

from __future__ import annotations

import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measuring import ROOT, environment, run, table
from bench.rehearsal import PLUGGY, pluggy, time_rehearsal
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from tests.support.asgi_thread import serve_in_thread

from unmoor.rehearsal.faults import control
from unmoor.rehearsal.faults.counting import Counting
from unmoor.rehearsal.faults.layer import FaultLayer
from unmoor.rehearsal.shared.http import Logged

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

MOST = 1.02
"""The time of a rehearsal with the layer, in those without."""
REQUESTS = 2_000
WITH = "    return FaultLayer(app, service=service, counting=counting, logged=logged)\n"
WITHOUT = "    return logged(app)\n"


def bare() -> Path:
    """Return the scripts of an environment with a copy of unmoor whose servers have no layer."""
    scripts = environment("unmoor-without-faults", str(ROOT))
    (apps,) = scripts.parent.glob("lib/python*/site-packages/unmoor/rehearsal/apps.py")
    text = apps.read_text("utf-8")
    if WITH not in text:
        sys.exit(f"{apps} has the layer elsewhere")
    apps.write_text(text.replace(WITH, WITHOUT), "utf-8")
    run([scripts / "python", "-m", "compileall", "-q", str(apps)], cwd=ROOT)
    return scripts


def rehearsals(tries: int) -> None:
    """Measure rehearsals in turns, and print a table."""
    tools = environment("tools", "build", "twine", "uv", "pip")
    ways = {"without the layer": bare(), "with the layer": environment("unmoor", str(ROOT))}
    took: dict[str, list[float]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        source = pluggy(Path(folder), tools)
        for counted in range(tries + 1):
            for name, scripts in ways.items():
                took[name] += [time_rehearsal(PLUGGY, source, scripts)] if counted else []
                if not counted:
                    time_rehearsal(PLUGGY, source, scripts)
    plain, layered = (statistics.median(each) for each in took.values())
    # What another program takes meanwhile is in the slowest ones, and never in the fastest.
    least, most = (min(each) for each in took.values())
    rows = [
        ("without the layer", f"{plain:.2f}", f"{least:.2f}", "1.000", ""),
        (
            "with the layer",
            f"{layered:.2f}",
            f"{most:.2f}",
            f"{most / least:.3f}",
            "" if most <= MOST * least else "slow",
        ),
    ]
    table((f"rehearsal of {PLUGGY.name}, {tries} each", "median s", "least s", "least / without", ""), rows)


async def _hello(_request: Request) -> Response:
    return PlainTextResponse("hello\n")


def requests_a_second(make: Callable[[ASGIApp], ASGIApp]) -> float:
    """Serve one page, and ask for it over one connection. Return how many the processor does, client included."""
    app = Starlette(routes=[Route("/simple/{name}/", _hello)])
    with serve_in_thread(lambda _address: make(app)) as address:
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=20)
        start = time.process_time()
        for _ in range(REQUESTS):
            connection.request("GET", "/simple/demo/")
            connection.getresponse().read()
        took = time.process_time() - start
        connection.close()
    return REQUESTS / took


def single_requests(tries: int) -> None:
    """Measure requests in turns, and print a table."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as log:
        idle, planned = Path(folder) / "idle", Path(folder) / "planned"
        for each in (idle, planned):
            each.mkdir()
        control.inject(planned, *(f"down@pypi:GET /simple/{{name}}/#{999_999 - number}" for number in range(20)))

        def logged(app: ASGIApp) -> ASGIApp:
            return Logged(app, server="pypi", log=log.fileno())

        def layered(world: Path) -> Callable[[ASGIApp], ASGIApp]:
            return lambda app: FaultLayer(app, service="pypi", counting=Counting(world), logged=logged)

        ways = {"without the layer": logged, "with the layer": layered(idle), "with 20 injections": layered(planned)}
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(tries):
            for name, make in ways.items():
                rates[name].append(requests_a_second(make))
    best = {name: max(each) for name, each in rates.items()}
    base = 1e6 / best["without the layer"]
    rows = [(name, f"{rate:.0f}", f"{1e6 / rate - base:+.0f}") for name, rate in best.items()]
    table((f"{REQUESTS} requests over one connection", "a second of CPU", "more µs each"), rows)


def main() -> None:
    """Measure requests, then rehearsals."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    single_requests(tries)
    rehearsals(tries)


if __name__ == "__main__":
    try:
        main()
    except subprocess.SubprocessError as error:
        sys.exit(str(error))
