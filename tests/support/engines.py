"""A container engine for tests, shared by all workers of pytest, and images to build from.

A test file imports the fixtures that it uses::

    from tests.support.engines import base_image, engine, tiny_image  # noqa: F401 - fixtures

Only journeys use an engine. If something is missing, the test is skipped with the reason. In CI a skip is a failure.
"""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.systems import IS_ROOT

ROOT = Path(__file__).parents[2]
ENGINE, BASE_IMAGE = ROOT / "docker" / "engine.sh", ROOT / "docker" / "base-image.sh"
UNAVAILABLE = 69
"""The exit code of both scripts if something is not available on this machine."""
INSTALLING, MAKING = 600.0, 600.0
"""Seconds that the first start and the first base image may take, including their installation."""
CLIENT = shutil.which("docker") or "docker"
BASE = "python:3.11-slim-bookworm"


@dataclass(frozen=True, kw_only=True)
class TestEngine:
    """A running engine: its address, and the folder with the client's settings (``config.json``, plugins)."""

    __test__ = False

    host: str
    config: Path

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables that lead the docker client and the SDK to the engine."""
        return {"DOCKER_HOST": self.host, "DOCKER_CONFIG": str(self.config)}

    def docker(self, *arguments: str, stdin: bytes | None = None, timeout: float = 120.0) -> str:
        """Run the docker client and return its output. Raises `AssertionError` with its error output."""
        ran = subprocess.run(
            [CLIENT, *arguments],
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            env={**os.environ, **self.environ},
            check=False,
            capture_output=True,
            timeout=timeout,
        )
        assert ran.returncode == 0, f"docker {shlex.join(arguments)}: {ran.stderr.decode(errors='replace')}"
        return ran.stdout.decode(errors="replace").strip()

    @property
    def has_buildx(self) -> bool:
        """Whether the buildx plugin is installed."""
        command, given = [CLIENT, "buildx", "version"], {**os.environ, **self.environ}
        return subprocess.run(command, env=given, check=False, capture_output=True, timeout=30).returncode == 0


def require_programs(*programs: str) -> None:
    """Skip the test if one of these programs is not installed."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


def _environ_without_mark() -> dict[str, str]:
    """Return the environment for programs that workers share and that may outlive the worker that starts them."""
    return {name: value for name, value in os.environ.items() if name != "PYTEST_SESSION_MARK"}


@pytest.fixture(scope="session")
def engine() -> Iterator[TestEngine]:
    """Give the engine of ``docker/engine.sh``, which starts one if none answers. The last worker to leave stops it.

    Each worker holds a lock of the script, which a killed worker releases as well.
    """
    process = subprocess.Popen(
        [ENGINE, "hold"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environ_without_mark(),
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(process.stderr or ()), daemon=True)
    reader.start()
    watch = threading.Timer(INSTALLING, process.kill)
    watch.start()
    line = process.stdout.readline()
    watch.cancel()
    try:
        if not line:
            code = process.wait(30)
            reader.join(5)
            words = "".join(lines).strip() or "docker/engine.sh printed nothing"
            if code == UNAVAILABLE:
                pytest.skip(words)
            pytest.fail(f"docker/engine.sh ended with {code}: {words}")
        given = dict(word.split("=", 1) for word in shlex.split(line) if "=" in word)
        yield TestEngine(host=given["DOCKER_HOST"], config=Path(given["DOCKER_CONFIG"]))
    finally:
        process.stdin.close()
        process.wait(120)
        reader.join(5)
        process.stdout.close()
        process.stderr.close()


@pytest.fixture
def podman() -> Iterator[TestEngine]:
    """Give podman with Docker's API and its own temporary store."""
    require_programs("podman", "runc")
    if not IS_ROOT:
        pytest.skip("the tests with podman need root")
    # Podman refuses a folder for its state with a path of more than 50 characters.
    place = Path(tempfile.mkdtemp(prefix="podman-", dir="/tmp"))
    # Settings that also work in a container: no limits above those of the process, and the older control groups.
    (place / "containers.conf").write_text(
        '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n'
        '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
    )
    store = ["--root", str(place / "root"), "--runroot", str(place / "run"), "--storage-driver", "vfs"]
    address = place / "socket"
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            [shutil.which("podman") or "podman", *store, "system", "service", "--time=0", f"unix://{address}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "CONTAINERS_CONF": str(place / "containers.conf")},
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 30
        while not address.is_socket():
            assert process.poll() is None, f"podman's service ended: {(place / 'log').read_text(errors='replace')}"
            assert time.monotonic() < deadline, "podman's service does not start"
            time.sleep(0.05)
        yield TestEngine(host=f"unix://{address}", config=place)
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(place, ignore_errors=True)


def tar_layer(files: Mapping[str, bytes]) -> bytes:
    """Make a tar of files by their paths. Everyone may read and execute them."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


@pytest.fixture(scope="session")
def tiny_image(engine: TestEngine) -> Iterator[str]:
    """Give the name of a tiny image with two files and no programs."""
    name = f"unmoor-test/tiny:{uuid.uuid4().hex[:12]}"
    engine.docker("import", "-", name, stdin=tar_layer({"etc/motd": b"a tiny image\n", "data/one": b"1\n"}))
    yield name
    engine.docker("rmi", "--force", name)


@pytest.fixture(scope="session")
def runnable_image(engine: TestEngine) -> Iterator[str]:
    """Give the name of an image with only a static shell (2 MB), to run small commands in."""
    require_programs("busybox")
    name = f"unmoor-test/shell:{uuid.uuid4().hex[:12]}"
    busybox = Path(shutil.which("busybox") or "").read_bytes()
    files = {f"bin/{applet}": busybox for applet in ("busybox", "sh", "cat", "echo", "sleep", "yes")}
    engine.docker("import", "--change", "ENV PATH=/bin", "--change", 'CMD ["sh"]', "-", name, stdin=tar_layer(files))
    yield name
    engine.docker("rmi", "--force", name)


@pytest.fixture(scope="session")
def base_image(engine: TestEngine) -> str:
    """Give the name of a base image with Python and pip. If the engine has none, it is created or pulled.

    The image stays in the engine for the next run.
    """
    return ensure_base_image(engine, "linux/amd64")


def ensure_base_image(engine: TestEngine, platform: str) -> str:
    """Create or pull the base image of a platform if it is missing, and return its name."""
    name = BASE if platform == "linux/amd64" else f"{BASE}-386"
    # One at a time, because two workers would create it twice.
    lock = ["flock", str(ROOT / ".cache" / "base-image.lock")]
    command = [*lock, str(BASE_IMAGE), "--platform", platform, "--pull", name]
    given = {**_environ_without_mark(), **engine.environ}
    ran = subprocess.run(command, env=given, check=False, capture_output=True, text=True, timeout=MAKING)
    if ran.returncode == UNAVAILABLE:
        pytest.skip(ran.stderr.strip())
    assert ran.returncode == 0, ran.stderr
    return name
