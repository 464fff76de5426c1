"""Switch a service under load, and kill a version while it is watched.

    python -m bench.service [SWITCHES]

A real HAProxy with the printed configuration, real containers, and 8 clients: half of them keep their connection, and
each sends a request of two seconds now and then. First SWITCHES deployments (default 10), each while 5,000 requests are
answered; the former container is stopped each time. Then the new container is killed while it is watched. Needs a
container engine (``DOCKER_HOST``), HAProxy and the base image of ``docker/base-image.sh``.

Targets: no request fails in the switches; after the kill at most 1 % of 5,000 fail, and the former version is back for
good within a second.
"""

from __future__ import annotations

import io
import itertools
import os
import sys
import tarfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from bench.measuring import table

from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.engine import DockerEngine
from unmoor.adapters.engine.services import EngineServices
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.proxy.own_proxy import OwnProxy, find_haproxy, start_own_proxy
from unmoor.deploy.service.deployer import Deployer
from unmoor.deploy.service.look import Service
from unmoor.deploy.service.plan import ServicePlan, ServiceVersion
from unmoor.deploy.service.watch import WatchLimits
from unmoor.errors import CheckFailed
from unmoor.ports.proxy import Admin
from unmoor.util.values import replace

REQUESTS, CLIENTS, SLOW_EVERY = 5_000, 8, 500
MOST_FAILED, BACK_WITHIN = 0.01, 1.0
BASE = "python:3.11-slim-bookworm"
SERVER = b"""
import asyncio, signal, sys
async def serve(reader, writer):
    busy.add(writer)
    try:
        while head := await reader.readuntil(b"\\r\\n\\r\\n"):
            if b" /slow" in head[:20]:
                await asyncio.sleep(2)
            body = sys.argv[1].encode()
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        busy.discard(writer)
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "0.0.0.0", 8000, backlog=1024)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, sys.exit)
    await server.serve_forever()
busy = set()
asyncio.run(main())
"""


@dataclass
class Load:
    """Clients that ask without end: what was answered, and what failed, each with its moment."""

    own: OwnProxy
    answered: itertools.count[int] = field(default_factory=itertools.count)
    total: int = 0
    failed: list[tuple[float, str]] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)

    def ask(self, *, keeps: bool) -> None:
        """Be one client."""
        place = urlsplit(self.own.address)
        connection = HTTPConnection(str(place.hostname), place.port, timeout=15)
        for number in itertools.count(1):
            if self.stop.is_set():
                break
            try:
                path = "/slow" if number % SLOW_EVERY == 0 else "/"
                connection.request("GET", path, headers={} if keeps else {"Connection": "close"})
                answer = connection.getresponse()
                body = answer.read().decode()
                if answer.status == HTTPStatus.OK:
                    self.versions.add(body)
                else:
                    self.failed.append((time.monotonic(), f"status {answer.status}"))
            except (OSError, HTTPException) as error:
                self.failed.append((time.monotonic(), repr(error)))
                connection.close()
            if not keeps:
                connection.close()
            self.total = next(self.answered)
        connection.close()

    @contextmanager
    def clients(self) -> Iterator[None]:
        """Ask until the block ends."""
        threads = [threading.Thread(target=self.ask, kwargs={"keeps": n % 2 == 0}) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()


def images(engine: DockerEngine, names: list[str]) -> dict[str, str]:
    """Build an image for each version, and return their ids."""
    found = {}
    api = engine.connection.api()
    look = "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/', timeout=2)"
    for name in names:
        dockerfile = (
            f"FROM {BASE}\nCOPY server.py /\n"
            f'HEALTHCHECK --interval=500ms --timeout=5s --retries=20 CMD ["python", "-c", "{look}"]\n'
            f'CMD ["python", "/server.py", "{name}"]\n'
        )
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as archive:
            for path, data in (("Dockerfile", dockerfile.encode()), ("server.py", SERVER)):
                member = tarfile.TarInfo(path)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        made.seek(0)
        tag = f"unmoor-bench/service:{name}"
        for _line in api.build(fileobj=made, custom_context=True, tag=tag, rm=True, decode=True):
            pass
        found[name] = engine.inspect(tag).id
    return found


def main() -> int:
    """Measure, and return 1 if a target is missed."""
    switches = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    program = find_haproxy(os.environ)
    if not program:
        sys.exit("haproxy is not installed")
    with Processes() as processes:
        clock = MonotonicClock(processes=processes)
        engine = DockerEngine(shell=LocalShell(processes=processes), processes=processes)
        ids = images(engine, ["one", "two"])
        own = start_own_proxy(program, "web", {"blue": 0, "green": 0}, "/", processes=processes, clock=clock)
        host = EngineServices(engine=engine, http=BoundedSession(direct=True), temporary=True)
        plan = ServicePlan(
            name="web",
            project=f"bench/{uuid.uuid4().hex[:8]}",
            port=8000,
            slots=own.slots,
            smoke=("/",),
            monitor=2.0,
            limits=WatchLimits(errors=0.01, latency=5_000.0),
            prefix="unmoor-bench",
        )
        service = Service(plan=plan, proxy=own.api, host=host, clock=clock)
        rows, missed = switching(service, own, ids, switches)
        more, worse = killing(service, own, ids)
        own.stop()
    table(("what", "measured", "target"), [*rows, *more])
    return int(missed or worse)


def deploy(service: Service, ids: dict[str, str], name: str) -> None:
    """Deploy a version."""
    deployer = Deployer(service=service, pull=lambda version: version.digest)
    deployer.deploy(ServiceVersion(digest=ids[name], tag=name, image="bench"))


def switching(
    service: Service, own: OwnProxy, ids: dict[str, str], switches: int
) -> tuple[list[tuple[str, ...]], bool]:
    """Switch back and forth under load."""
    deploy(service, ids, "one")
    asked = failed = 0
    for number in range(switches):
        load = Load(own)
        with load.clients():
            deploy(service, ids, ("two", "one")[number % 2])
            while load.total < REQUESTS:
                time.sleep(0.05)
        asked, failed = asked + load.total, failed + len(load.failed)
        assert len(load.versions) == 2  # noqa: PLR2004, S101 - both served
        for _moment, why in load.failed[:3]:
            sys.stderr.write(f"failed: {why}\n")
    return [(f"{switches} switches, {asked} requests: failed", str(failed), "0")], failed > 0


def killing(service: Service, own: OwnProxy, ids: dict[str, str]) -> tuple[list[tuple[str, ...]], bool]:
    """Kill the new version while it is watched."""
    serving = service.look().serving
    name = "two" if serving is not None and serving.digest == ids["one"] else "one"
    watched = replace(service, plan=replace(service.plan, monitor=60.0))
    moments: list[float] = []

    def kill() -> None:
        while True:
            slots = service.look()
            if any(slot.server.admin is Admin.DRAIN for slot in slots.both) and slots.serving is not None:
                time.sleep(1)
                moments.append(time.monotonic())
                engine_of(service).connection.api().kill(slots.serving.held.id)
                return
            time.sleep(0.05)

    load = Load(own)
    with load.clients():
        thread = threading.Thread(target=kill)
        thread.start()
        with suppress(CheckFailed):
            deploy(watched, ids, name)
        thread.join()
        begun = load.total
        while load.total < begun + REQUESTS:
            time.sleep(0.05)
    back = max((moment for moment, _why in load.failed), default=moments[0]) - moments[0]
    most = int(REQUESTS * MOST_FAILED)
    return [
        ("new container killed: failed requests", str(len(load.failed)), f"<= {most}"),
        ("new container killed: last failure after, in s", f"{back:.2f}", f"<= {BACK_WITHIN:g}"),
    ], len(load.failed) > most or back > BACK_WITHIN


def engine_of(service: Service) -> DockerEngine:
    """The engine of a service's host."""
    assert isinstance(service.host, EngineServices)  # noqa: S101 - made above
    return service.host.engine


if __name__ == "__main__":
    sys.exit(main())
