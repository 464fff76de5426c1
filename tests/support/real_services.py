"""A service in real containers behind a real HAProxy, with images of a few hundred kilobytes that serve their version.

A test file imports the fixtures that it uses::

    from tests.support.engines import engine  # noqa: F401 - a fixture
    from tests.support.real_services import real_service, service_images  # noqa: F401 - fixtures
"""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from tests.support.engines import TestEngine, engine, require_programs, tar_layer  # noqa: F401 - a fixture
from tests.support.service_users import ask

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
from unmoor.ports.proxy import Proxy
from unmoor.ports.service_host import ServiceHost

PORT = 8000
_SERVES = f'CMD ["busybox", "httpd", "-f", "-p", "{PORT}", "-h", "/www"]'
_LOOK = f'["busybox", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:{PORT}/health"]'
_CHECK = f"HEALTHCHECK --interval=200ms --retries=5 CMD {_LOOK}"
_IMAGES: Mapping[str, tuple[str, ...]] = {
    "v1": (_SERVES, _CHECK),
    "v2": (_SERVES, _CHECK),
    "mute": ('CMD ["busybox", "sh", "-c", "echo no database; exit 3"]', _CHECK),
    "unchecked": (_SERVES,),
}


@dataclass(kw_only=True)
class RealService:
    """One service. ``ids`` are the images by their names here, which are the tags of their versions, too."""

    own: OwnProxy
    engine: DockerEngine
    host: EngineServices
    clock: MonotonicClock
    ids: Mapping[str, str]
    project: str
    monitor: float = 0.5
    said: list[str] = field(default_factory=list)
    restarted: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def restart_proxy(self) -> None:
        """Kill HAProxy, and start it again with the same configuration, as its machine would."""
        psutil.Process(int(self.proxy.look().process)).kill()
        config = Path(self.own.api.socket).with_name("haproxy.cfg")
        self.restarted.append(
            subprocess.Popen([find_haproxy(os.environ), "-db", "-f", config], stderr=subprocess.DEVNULL)
        )

    @property
    def proxy(self) -> Proxy:
        """The API of its proxy."""
        return self.own.api

    def service(self, *, proxy: Proxy | None = None, host: ServiceHost | None = None) -> Service:
        """The service, with other ports for some tests."""
        plan = ServicePlan(
            name="web",
            project=self.project,
            port=PORT,
            slots=self.own.slots,
            smoke=("/health",),
            monitor=self.monitor,
            limits=WatchLimits(errors=0.01, latency=5_000.0),
            prefix="unmoor-test",
        )
        return Service(plan=plan, proxy=proxy or self.own.api, host=host or self.host, clock=self.clock)

    def deploy(self, name: str, service: Service | None = None, *, hold: bool = False) -> None:
        """Deploy a version, as a new run of the command does."""
        deployer = Deployer(service=service or self.service(), pull=self.pull, say=self.said.append)
        deployer.deploy(ServiceVersion(digest=self.ids[name], tag=name, image="acme/demo"), hold=hold)

    def pull(self, version: ServiceVersion) -> str:
        """The image is there."""
        return version.digest

    def get(self, path: str = "version") -> str:
        """What users get."""
        return ask(self.own.address, path)

    def statuses(self) -> dict[str, str]:
        """The status of each slot's container."""
        found = self.host.containers(self.project, "web")
        return {each.labels.slot: each.status for each in found}


@pytest.fixture(scope="session")
def service_images(engine: TestEngine) -> Iterator[Mapping[str, str]]:  # noqa: F811 - the fixture
    """Import the images, and give their ids by name."""
    require_programs("busybox")
    busybox = Path(shutil.which("busybox") or "").read_bytes()
    mark = uuid.uuid4().hex[:12]
    ids = {}
    for name, changes in _IMAGES.items():
        files = {"bin/busybox": busybox, "www/health": b"ok\n", "www/version": f"{name}\n".encode()}
        options = [word for change in ("ENV PATH=/bin", *changes) for word in ("--change", change)]
        ids[name] = engine.docker("import", *options, "-", f"unmoor-test/{name}:{mark}", stdin=tar_layer(files))
    yield ids
    engine.docker("rmi", "--force", *(f"unmoor-test/{name}:{mark}" for name in _IMAGES))


@pytest.fixture
def real_service(
    engine: TestEngine,  # noqa: F811 - the fixture
    service_images: Mapping[str, str],
) -> Iterator[RealService]:
    """Give a service with an HAProxy of its own. Its containers are removed at the end."""
    program = find_haproxy(os.environ)
    if not program:
        pytest.skip("haproxy is not installed")
    with Processes() as processes:
        clock = MonotonicClock(processes=processes)
        adapter = DockerEngine(
            shell=LocalShell(processes=processes), processes=processes, environ={**os.environ, **engine.environ}
        )
        own = start_own_proxy(program, "web", {"blue": 0, "green": 0}, "/health", processes=processes, clock=clock)
        with BoundedSession(direct=True) as http:
            service = RealService(
                own=own,
                engine=adapter,
                host=EngineServices(engine=adapter, http=http, temporary=True),
                clock=clock,
                ids=service_images,
                project=f"acme/{uuid.uuid4().hex[:8]}",
            )
            yield service
        for process in service.restarted:
            process.kill()
            process.wait()
        own.stop()
