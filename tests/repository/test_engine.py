"""The engine for the demo and the tests starts, works, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.support.engines import (
    BASE,
    ENGINE,
    UNAVAILABLE,
    TestEngine,
    base_image,
    engine,
    require_programs,
    runnable_image,
    tiny_image,
)
from tests.support.systems import linux

pytestmark = linux  # docker/engine.sh is for it

__all__ = ["base_image", "engine", "runnable_image", "tiny_image"]
ROOT = Path(__file__).parents[2]
PATIENCE = 600


def _script(*arguments: str | Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "PYTEST_"))}
    return subprocess.run(
        [ENGINE, *arguments],
        env={**given, **(env or {})},
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
    )


def _traces(folder: Path) -> dict[str, list[str]]:
    """Return what is left of an engine: processes that name its folder, mounts in it, links and rules of its bridge."""

    def lines(*command: str) -> list[str]:
        if shutil.which(command[0]) is None:
            return []
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.splitlines()

    checksum = subprocess.run(["/usr/bin/cksum"], input=str(folder), check=True, capture_output=True, text=True)
    bridge = "um" + checksum.stdout.split()[0]
    return {
        "processes": [line for line in lines("ps", "-wweo", "args") if f"{folder}/exec/" in line],
        "mounts": [line for line in Path("/proc/mounts").read_text().splitlines() if f" {folder}/" in line],
        "links": [line for line in lines("ip", "-brief", "link") if bridge in line],
        "rules": [line for line in lines("iptables-save") if bridge in line],
    }


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a folder with a short name, since sockets lie in it, and see that no engine is left in it."""
    folder = Path("/tmp") / f"unmoor-test-engine-{os.getpid()}"
    yield folder
    _script("stop", folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.journey
@pytest.mark.timeout(PATIENCE)
def test_a_private_engine_comes_and_goes(place: Path) -> None:
    """It starts, starts again at once as the one that runs, and stops with a container running in it."""
    own = {"UNMOOR_ENGINE": "private"}
    started = _script("start", place, env=own)
    if started.returncode == UNAVAILABLE:
        pytest.skip(started.stderr)
    assert started.returncode == 0, started.stderr
    host, config = f"unix://{place}/docker.sock", place / "config"
    assert started.stdout == f"export DOCKER_HOST={host} DOCKER_CONFIG={config}\n"
    assert _script("start", place, env=own).stdout == started.stdout
    assert _script("env", place).stdout == started.stdout
    assert len([line for line in _traces(place)["processes"] if line.startswith("dockerd ")]) == 1
    require_programs("busybox")
    private = TestEngine(host=host, config=config)
    busybox = Path(shutil.which("busybox") or "").resolve().parent
    tar = subprocess.run(["/bin/tar", "-C", busybox, "-c", "busybox"], check=True, capture_output=True).stdout
    private.docker("import", "-", "shell", stdin=tar)
    private.docker("run", "--detach", "shell", "/busybox", "sleep", "1000")
    stopped = _script("stop", place)
    assert stopped.returncode == 0, stopped.stderr
    assert _traces(place) == {"processes": [], "mounts": [], "links": [], "rules": []}
    assert _script("env", place).returncode == UNAVAILABLE


@pytest.mark.journey
@pytest.mark.timeout(PATIENCE)
def test_stop_cleans_up_after_a_killed_engine(place: Path) -> None:
    """After SIGKILL of the daemon alone, `stop` still ends its containers' processes and removes its mounts."""
    started = _script("start", place, env={"UNMOOR_ENGINE": "private"})
    if started.returncode == UNAVAILABLE:
        pytest.skip(started.stderr)
    os.kill(int((place / "dockerd.pid").read_text()), 9)
    assert _script("stop", place).returncode == 0
    assert _traces(place) == {"processes": [], "mounts": [], "links": [], "rules": []}


@pytest.mark.journey
@pytest.mark.timeout(PATIENCE)
def test_the_last_one_to_leave_ends_the_engine(place: Path) -> None:
    """If two processes hold the engine, it runs until the second ends, even if the first was killed."""
    given = {**os.environ, "UNMOOR_ENGINE": "private"}
    given.pop("DOCKER_HOST", None)

    def hold() -> subprocess.Popen[bytes]:
        return subprocess.Popen([ENGINE, "hold", place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=given)

    with hold() as first, hold() as second:
        assert first.stdout is not None
        assert second.stdout is not None
        if not first.stdout.readline() and first.wait(10) == UNAVAILABLE:
            pytest.skip("no private engine is available")
        assert second.stdout.readline()
        first.kill()
        first.wait(10)
        assert _traces(place)["processes"]
        assert second.stdin is not None
        second.stdin.close()
        assert second.wait(60) == 0
    assert _traces(place)["processes"] == []


@pytest.mark.journey
def test_another_engine_is_never_stopped(place: Path, engine: TestEngine) -> None:
    """An engine that answers at DOCKER_HOST is used, and still runs after `stop`."""
    given = {"DOCKER_HOST": engine.host}
    assert f"DOCKER_HOST={engine.host} " in _script("start", place, env=given).stdout
    assert _script("stop", place, env=given).returncode == 0
    assert engine.docker("version", "--format", "{{.Server.Version}}")


_STAND_INS = {
    "docker": '[ -x "$DOCKER_CONFIG/cli-plugins/docker-buildx" ]',
    "apt-cache": "exit 1",
    "apt-get": 'echo "$1" >>"$HOME/asked"; [ "$1" != indextargets ] || echo "http://mirror.test bookworm main"',
    "dpkg-deb": 'd=$3/usr/libexec/docker/cli-plugins; mkdir -p "$d" && cp /bin/sh "$d/docker-buildx"',
}


def test_buildx_is_fetched_once(tmp_path: Path) -> None:
    """The first start creates the cache and keeps buildx there; the second downloads nothing."""
    programs, kept = tmp_path / "bin", tmp_path / "not" / "there" / "yet"
    programs.mkdir()
    for name, script in _STAND_INS.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path), "UNMOOR_CACHE": str(kept)}
    for turn, message in (
        ("first", "engine: downloading buildx from the next suite of the same mirror\n"),
        ("second", ""),
    ):
        ran = _script("buildx", tmp_path / turn, env=env)
        assert (ran.returncode, ran.stderr) == (0, message)
        assert (tmp_path / turn / "config" / "cli-plugins" / "docker-buildx").exists()
        assert [each.name for each in kept.iterdir()] == ["docker-buildx"]
    assert (tmp_path / "asked").read_text().count("indextargets") == 1


def test_an_unknown_command_is_a_usage_error() -> None:
    """An unknown command prints the help, which names every command."""
    ran = _script("restart")
    assert ran.returncode == 2
    for command in ("start", "env", "stop", "hold", "with", "buildx"):
        assert f"engine.sh {command} " in ran.stderr


@pytest.mark.parametrize("system", ["Linux", "Darwin"])
@pytest.mark.parametrize("optional", [True, False])
def test_a_command_runs_without_an_engine_only_with_optional(tmp_path: Path, system: str, *, optional: bool) -> None:
    """Without an engine the script says why, and only `with --optional` runs the command, without DOCKER_HOST.

    macOS has no flock, which the script uses on Linux.
    """
    # A machine that has only the programs that the script itself uses.
    for name in (
        "bash",
        "cksum",
        "cut",
        "dirname",
        "flock",
        "id",
        "mkdir",
        "ps",
        "awk",
        "sed",
        "env",
        "rm",
        "tac",
        "touch",
    ):
        (tmp_path / name).symlink_to(shutil.which(name) or f"/usr/bin/{name}")
    (tmp_path / "uname").write_text(f"#!/bin/sh\necho {system}\n", encoding="utf-8")
    (tmp_path / "uname").chmod(0o755)
    if system != "Linux":
        (tmp_path / "flock").unlink()
    bare = {"PATH": str(tmp_path), "DOCKER_HOST": "unix:///nowhere", "UNMOOR_ENGINE": "private"}
    options = ["--optional"] if optional else []
    ran = _script("with", *options, "env", env=bare)
    assert "no engine is available: " in ran.stderr
    assert ran.returncode == (0 if optional else UNAVAILABLE)
    assert "DOCKER_HOST" not in ran.stdout


@pytest.mark.journey
@pytest.mark.timeout(PATIENCE)
def test_the_base_image_installs_packages(engine: TestEngine, base_image: str) -> None:
    """`python -m pip` works in the image, and its layers have no left-overs of apt."""
    assert base_image == BASE
    script = "python -m pip --version && test -z \"$(ls /var/lib/apt/lists)\" && python -c 'import ssl, venv'"
    assert engine.docker("run", "--rm", "--network", "none", base_image, "sh", "-c", script).startswith("pip ")


@pytest.mark.journey
def test_small_images_are_small_and_run(engine: TestEngine, tiny_image: str, runnable_image: str) -> None:
    """The tiny image has only files; the runnable one can run a shell."""
    assert int(engine.docker("image", "inspect", "--format", "{{.Size}}", tiny_image)) < 1000
    assert engine.docker("run", "--rm", runnable_image, "sh", "-c", "echo ahoy") == "ahoy"
