"""The real engine: build, inspect, run, remove, and clean up."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import uuid
from base64 import encodebytes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.engines import TestEngine, engine, runnable_image, tar_layer, tiny_image  # noqa: F401 - fixtures

from unmoor.adapters.engine import DockerEngine, connection
from unmoor.adapters.engine.building import BUILDKIT, BUILDX, LEGACY, Builder
from unmoor.adapters.process.process_system import LABEL
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.errors import BuildFailed, Denied, Incomplete, Interrupted, TimedOut, ToolMissing, Unknown, UnmoorError
from unmoor.ports.engine import Engine, Recipe
from unmoor.ports.shell import Ran, Shell
from unmoor.util.secret import Secret
from unmoor.util.values import replace

pytestmark = pytest.mark.journey

SECRET = "s3cret-value"
KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\n-----END KEY-----\n"


@pytest.fixture
def docker(engine: TestEngine, shell: LocalShell) -> DockerEngine:  # noqa: F811 - the fixture
    """Return the adapter for the engine."""
    return DockerEngine(shell=shell, processes=shell.processes, environ={**os.environ, **engine.environ})


Recipes = Callable[..., Recipe]


@pytest.fixture
def recipe(tmp_path: Path) -> Recipes:
    """Return a function that writes a Dockerfile and returns its recipe."""

    def make(text: str, **files: str) -> Recipe:
        (tmp_path / "Dockerfile").write_text(text)
        for name, content in files.items():
            (tmp_path / name).write_text(content)
        return Recipe(
            context=tmp_path,
            dockerfile="Dockerfile",
            target="",
            platform="linux/amd64",
            tag="unmoor.local/test:engine",
            args={"VERSION": "1.0", "SOURCE_DATE_EPOCH": "1700000000"},
            labels={"org.example.words": "two words"},
        )

    return make


def containers(at: TestEngine, run: str = "") -> str:
    """Return the ids of containers with the label of a run."""
    return at.docker("ps", "--all", "--quiet", "--filter", f"label={LABEL}{f'={run}' if run else ''}")


def test_facts(docker: DockerEngine) -> None:
    """The adapter implements the port. The facts have version, builder and platforms."""
    port: Engine = docker
    facts = port.facts()
    assert facts.version
    assert facts.builder in {BUILDX, BUILDKIT}
    assert "linux/amd64" in facts.platforms


@pytest.mark.parametrize(
    "environ", [{"DOCKER_HOST": "unix:///nowhere/docker.sock"}, {"DOCKER_HOST": "tcp://127.0.0.1:1"}]
)
def test_no_engine(shell: LocalShell, environ: Mapping[str, str]) -> None:
    """If no engine answers, the error has its address and says how to install one."""
    docker = DockerEngine(shell=shell, processes=shell.processes, environ={"PATH": os.defpath, **environ})
    for question in (docker.facts, lambda: docker.look("x")):
        with pytest.raises(ToolMissing) as caught:
            question()
        assert environ["DOCKER_HOST"] in str(caught.value)
        assert "install Docker" in caught.value.next_step
        assert "leave-out-images" in caught.value.next_step.ids


def test_no_permission_to_use_the_engine(shell: LocalShell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that this user may not open differs from a missing engine."""

    def refuse(_address: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(connection, "_check_socket", refuse)
    with pytest.raises(Denied, match="may not use the engine"):
        DockerEngine(shell=shell, processes=shell.processes, environ={}).facts()


def test_build_look_and_remove(docker: DockerEngine, recipe: Recipes, tiny_image: str) -> None:  # noqa: F811
    """Id and name find the image. A second build without changes returns the same image at once."""
    wanted = recipe(f'FROM {tiny_image}\nARG VERSION\nENV V=$VERSION\nCOPY a /a\nUSER 7\nENTRYPOINT ["/x"]\n', a="1\n")
    lines: list[str] = []
    built = docker.build(wanted, hear=lines.append)
    facts = docker.inspect(built)
    assert facts == docker.look(wanted.tag)
    assert (facts.id, facts.platform, facts.user, facts.entrypoint) == (built, "linux/amd64", "7", ("/x",))
    assert facts.labels["org.example.words"] == "two words"
    assert "V=1.0" in facts.env
    assert any("COPY a" in line for line in facts.history)
    assert any("COPY a /a" in line for line in lines)
    start = time.monotonic()
    assert docker.build(wanted) == built
    assert time.monotonic() - start < 2
    docker.remove([wanted.tag, wanted.tag, "unmoor.local/nothing:1"])
    assert docker.look(wanted.tag) is None
    with pytest.raises(Incomplete, match="has no image"):
        docker.inspect(wanted.tag)


def test_forget_removes_only_its_own_names(docker: DockerEngine, engine: TestEngine) -> None:  # noqa: F811
    """If two runs built the same image, each removes its own names, and the last one those of local registries."""
    one, two = (f"unmoor.local/{uuid.uuid4().hex}" for _ in range(2))
    pushed = f"127.0.0.1:1/{uuid.uuid4().hex}:t"
    engine.docker("import", "-", f"{one}/a:t", stdin=tar_layer({"own": uuid.uuid4().bytes}))
    for name in (f"{two}/a:t", pushed):
        engine.docker("tag", f"{one}/a:t", name)
    docker.forget(one)
    assert docker.look(f"{one}/a:t") is None
    assert docker.look(f"{two}/a:t") == docker.look(pushed) is not None
    docker.forget(f"{two}"[:-1])
    assert docker.look(f"{two}/a:t") is not None
    docker.forget(two)
    assert docker.look(f"{two}/a:t") is docker.look(pushed) is None


FAILING = 'FROM {base} AS first\nRUN ["/bin/echo", "one"]\n\n# what fails\nRUN echo two; \\\n  exit 3\n'


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (FAILING, 5, "exit 3"),
        ("FROM {base}\nCOPY nothing /\n", 2, "/nothing"),
        ("FROM {base}\nFOO bar\n", 2, "unknown instruction: FOO"),
    ],
)
def test_a_failing_build_names_its_line(
    docker: DockerEngine,
    recipe: Recipes,
    runnable_image: str,  # noqa: F811
    *,
    text: str,
    line: int,
    message: str,
) -> None:
    """The error has file, line, the failed step and its last output."""
    with pytest.raises(UnmoorError) as caught:
        docker.build(recipe(text.format(base=runnable_image)))
    error = caught.value
    assert isinstance(error, BuildFailed)
    assert (error.file, error.line, error.where) == ("Dockerfile", line, f"Dockerfile, line {line}")
    assert message in str(error)
    assert len(str(error).splitlines()) < 25


def test_an_unreachable_registry(docker: DockerEngine, recipe: Recipes) -> None:
    """The error has the line of the base image, and does not blame the Dockerfile."""
    with pytest.raises(Unknown) as caught:
        docker.build(recipe("ARG A\nFROM registry.invalid/x:1\n"))
    assert caught.value.where == "Dockerfile, line 2"
    assert "base image registry.invalid/x:1 is not available" in str(caught.value)
    assert "docker pull registry.invalid/x:1" in caught.value.next_step


@dataclass(frozen=True, kw_only=True)
class RecordingShell:
    """A shell that records the arguments of each command."""

    shell: Shell
    commands: list[tuple[str, ...]]

    def run(self, args: Sequence[str], **how: Any) -> Ran:
        """Record the arguments, then run."""
        self.commands.append(tuple(args))
        return self.shell.run(args, **how)


def test_secrets_of_a_build(docker: DockerEngine, recipe: Recipes, runnable_image: str) -> None:  # noqa: F811
    """Only the step that mounts a secret gets it. It is in no argument, output, label, variable or history."""
    # A cached step would print nothing.
    once = f"ENV ONCE={uuid.uuid4().hex}"
    mounts = "--mount=type=secret,id=TOKEN --mount=type=secret,id=KEY"
    step = "cat /run/secrets/TOKEN; cat /run/secrets/KEY; base64 /run/secrets/KEY"
    text = f"FROM {runnable_image}\n{once}\nRUN {mounts} {step}\n"
    wanted = replace(recipe(text), secrets={"TOKEN": Secret(SECRET), "KEY": Secret(KEY)})
    lines: list[str] = []
    commands: list[tuple[str, ...]] = []
    built = replace(docker, shell=RecordingShell(shell=docker.shell, commands=commands)).build(
        wanted, hear=lines.append
    )
    facts = docker.inspect(built)
    assert any("***" in line for line in lines)
    kept = "\n".join([*lines, *facts.history, *facts.env, *facts.labels.values()])
    assert not [
        each for each in (SECRET, *KEY.splitlines(), *encodebytes(KEY.encode()).decode().split()) if each in kept
    ]
    assert any("build" in args for args in commands)
    assert SECRET not in repr(commands)
    docker.remove([wanted.tag])


def test_every_builder_builds(
    docker: DockerEngine,
    recipe: Recipes,
    tiny_image: str,  # noqa: F811
) -> None:
    """The client's own BuildKit and the legacy builder also build the requested target."""
    building = docker._building
    builders = [Builder(kind=LEGACY)]
    if Path("/usr/bin/docker").exists():
        builders.append(Builder(kind=BUILDKIT, command=("/usr/bin/docker", "build")))
    for builder in builders:
        wanted = recipe(f"FROM {tiny_image} AS one\nCOPY a /a\nFROM one AS two\nLABEL b=c\nFROM scratch\n", a="1\n")
        wanted = replace(wanted, target="two")
        built = building.build(wanted, builder, None)
        assert docker.inspect(built).labels == {"b": "c", "org.example.words": "two words"}
        with pytest.raises(ToolMissing, match=r"cache|secrets"):
            building.build(replace(wanted, cache_to=("type=local,dest=x",)), builder, None)
        with pytest.raises(BuildFailed, match="nothing") as caught:
            building.build(recipe(f"FROM {tiny_image}\n\nCOPY nothing /\n"), builder, None)
        assert (caught.value.file, caught.value.line) == ("Dockerfile", 3)
        assert "does not say why" not in str(caught.value)
    docker.remove(["unmoor.local/test:engine"])


def test_buildx_is_found_beside_a_private_configuration(
    engine: TestEngine,  # noqa: F811
    shell: LocalShell,
    tmp_path: Path,
) -> None:
    """A DOCKER_CONFIG without plugins does not hide the buildx of the home folder."""
    plugins = tmp_path / ".docker" / "cli-plugins"
    plugins.mkdir(parents=True)
    found = next(engine.config.glob("cli-plugins/docker-buildx"), None)
    if found is None:
        pytest.skip("buildx is not installed")
    (plugins / "docker-buildx").symlink_to(found)
    (tmp_path / "private").mkdir()
    environ = {"HOME": str(tmp_path), "PATH": "/nowhere", "DOCKER_CONFIG": str(tmp_path / "private")}
    docker = DockerEngine(
        shell=shell, processes=shell.processes, environ={**environ, "DOCKER_HOST": engine.host, "LANG": "C"}
    )
    assert docker.facts().builder == BUILDX
    none = DockerEngine(
        shell=shell, processes=shell.processes, environ={"PATH": "/nowhere", "DOCKER_HOST": engine.host}
    )
    assert none.facts().builder in {LEGACY, BUILDX}  # it may find the system's own


def test_contents(docker: DockerEngine, recipe: Recipes, tiny_image: str) -> None:  # noqa: F811
    """`contents` has the files of every layer, including shared ones."""
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n"
    first = recipe(f"FROM {tiny_image}\nCOPY key /etc/key\n", key=key)
    one = docker.build(first)
    second = replace(recipe(f"FROM {tiny_image}\nCOPY key /etc/other\n", key=key), tag="unmoor.local/test:other")
    two = docker.build(second)
    found = docker.contents([one, two])
    assert {(m.layer, m.path, m.holds) for m in found[one]} == {
        (0, "etc/motd", ""),
        (0, "data/one", ""),
        (1, "etc/key", "private key"),
    }
    assert {m.path for m in found[two]} == {"etc/motd", "data/one", "etc/other"}
    assert docker.contents([one]) == {one: found[one]}
    docker.remove([first.tag, second.tag])
    with pytest.raises(UnmoorError):
        docker.contents(["sha256:" + "0" * 64])


@pytest.mark.parametrize(
    ("command", "entrypoint", "code", "out", "err"),
    [
        (["sh", "-c", "echo a; echo b >&2; exit 3"], "", 3, "a\n", "b\n"),
        (["-c", "echo $0"], "sh", 0, "sh\n", ""),
        (["echo", "plain"], None, 0, "plain\n", ""),
        (["sh", "-c", "sleep 100 & echo left"], "", 0, "left\n", ""),
        (["nothing"], "", 127, "", "executable file not found"),
        (["/proc/version"], "", 126, "", "permission denied"),
        (["sh", "-c", ": > /dev/tcp 2>/dev/null; cat /proc/net/route | cat"], "", 0, "Iface", ""),
    ],
)
def test_run(
    docker: DockerEngine,
    runnable_image: str,  # noqa: F811
    *,
    command: list[str],
    entrypoint: str | None,
    code: int,
    out: str,
    err: str,
) -> None:
    """It returns output and exit code, without network or left-over children. A bad command has a shell's exit code."""
    ran = docker.run(runnable_image, command, entrypoint=entrypoint)
    assert ran.code == code
    assert ran.out.startswith(out)
    assert err in ran.err


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["sh", "-c", "sleep 100"], "ran for more than 2 s"),
        (["sh", "-c", "exec >/dev/null 2>&1; sleep 100"], "ran for more than 2 s"),
        (["yes", "x" * 1000], "printed more than 100000 bytes"),
    ],
)
def test_limits_of_a_run(
    docker: DockerEngine,
    runnable_image: str,  # noqa: F811
    engine: TestEngine,  # noqa: F811
    command: list[str],
    message: str,
) -> None:
    """A container that hangs or prints endlessly is stopped and removed."""
    start = time.monotonic()
    with pytest.raises(TimedOut, match=message):
        docker.run(runnable_image, command, entrypoint="", timeout=2, limit=100_000)
    assert time.monotonic() - start < 20
    assert containers(engine, docker.processes.run) == ""


def test_stopping_ends_a_container(docker: DockerEngine, runnable_image: str, engine: TestEngine) -> None:  # noqa: F811
    """A stopped run leaves no container."""
    timer = threading.Timer(1, docker.processes.stop)
    timer.start()
    with pytest.raises(Interrupted):
        docker.run(runnable_image, ["sleep", "100"], timeout=60)
    assert containers(engine, docker.processes.run) == ""


KILLED = """
import os, sys, threading
from unmoor.adapters.engine import DockerEngine, connection
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.process.shell import LocalShell
processes = Processes()
print(processes.run, flush=True)
docker = DockerEngine(shell=LocalShell(processes=processes), processes=processes)
docker.run(sys.argv[1], ["sleep", "1000"], timeout=900)
"""


def test_no_container_outlives_a_killed_run(engine: TestEngine, runnable_image: str) -> None:  # noqa: F811
    """Even after SIGKILL, the reaper removes the run's containers from the engine."""
    program = [sys.executable, "-c", KILLED, runnable_image]
    killed = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env={**os.environ, **engine.environ})
    assert killed.stdout is not None
    run = killed.stdout.readline().strip()
    try:
        assert becomes_true(lambda: containers(engine, run) != "")
    finally:
        killed.kill()
        killed.wait(20)
        killed.stdout.close()
    assert becomes_true(lambda: containers(engine, run) == "")


def becomes_true(holds: Callable[[], bool], within: float = 30.0) -> bool:
    """Whether a condition becomes true in time."""
    deadline = time.monotonic() + within
    while not (now := holds()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return now


def test_closing_ends_containers(engine: TestEngine, runnable_image: str) -> None:  # noqa: F811
    """The reaper removes the containers that are left when a run closes, before `close` returns."""
    with Processes() as processes:
        run = processes.run
        noted = processes.containers(engine.host)
        noted.__enter__()
        engine.docker("run", "--detach", "--label", f"{LABEL}={run}", runnable_image, "sleep", "1000")
    assert containers(engine, run) == ""
