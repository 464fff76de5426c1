"""Interrupted releases with images: one clear message, nothing left running, and the same command finishes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.journeys.test_images import NAME, digest, next_version, project, release, skopeo, start_image_release
from tests.support import forked
from tests.support.engines import TestEngine, engine, runnable_image  # noqa: F401 - fixtures
from tests.support.git_repos import Repo
from tests.support.local_release import LocalRelease

from unmoor.rehearsal.faults import control

assert sys.platform == "linux"  # engines run here

pytestmark = [pytest.mark.journey, pytest.mark.timeout(120)]

SLEEPY = "FROM {base} AS development\nCOPY dist/ /dist/\nRUN sleep 60\nFROM development AS production\nUSER 1000\n"


def commit(place: LocalRelease) -> str:
    """The commit's digits as the tags of images have them."""
    return place.repo.git("rev-parse", "v1.0")[:12]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[LocalRelease]:
    """A world with a registry, and a project with two targets."""
    with start_image_release(tmp_path, project(tmp_path / "small", "scratch")) as place:
        yield place


def test_an_interrupted_push_lists_what_is_there(place: LocalRelease, engine: TestEngine) -> None:  # noqa: F811 - the fixture
    """If the second target is refused, the error lists both, and nothing is promoted or public."""
    control.inject(place.world, f"broken@registry:PUT =/v2/{NAME}/manifests/sha-{commit(place)}-dev#1x0")
    ran = release(place, "v1.0", engine)
    assert ran.returncode == 10, ran.stderr
    assert ran.stderr.count("error:") == 1
    assert f"500 Internal Server Error; pushed: ghcr.io/{NAME}:sha-{commit(place)}\n" in ran.stderr
    out = ran.stderr.partition("already uploaded or published:\n")[2].partition("not reached:")[0]
    assert [line.split(":")[0].strip() for line in out.splitlines()][:3] == ["sign", "draft", "registry"]
    assert "registry: possibly in part" in out
    assert "nothing was uploaded" not in ran.stderr
    pushed = digest(place, f"sha-{commit(place)}")
    assert pushed.startswith("sha256:")
    assert digest(place, "v1.0") == digest(place, "latest") == ""
    assert "pypi" not in {index for index, _ in place.stored()}
    control.clear(place.world)
    again = release(place, "v1.0", engine)
    assert again.returncode == 0, again.stderr
    assert digest(place, "v1.0") == digest(place, "latest") == pushed


def test_a_registry_that_refuses_to_move_a_tag(place: LocalRelease, engine: TestEngine) -> None:  # noqa: F811 - the fixture
    """After the index: the error lists what is public and which tags moved or not; the same command finishes."""
    assert release(place, "v1.0", engine, "--hold").returncode == 0
    control.inject(place.world, f"broken@registry:PUT =/v2/{NAME}/manifests/latest#1x0")
    ran = release(place, "v1.0", engine)
    assert ran.returncode == 10, ran.stderr
    for words in (f"moved: ghcr.io/{NAME}:1, ", f"not moved: ghcr.io/{NAME}:latest, any floating tag of development"):
        assert words in ran.stderr
    assert "pypi: 2 files on pypi" in ran.stderr
    assert digest(place, "latest") == ""
    control.clear(place.world)
    sent = place.stored()
    again = release(place, "v1.0", engine)
    assert again.returncode == 0, again.stderr
    assert digest(place, "latest") == digest(place, "v1.0")
    assert place.stored() == sent


def test_nothing_is_public_before_the_images_are_signed(place: LocalRelease, engine: TestEngine) -> None:  # noqa: F811 - the fixture
    """A registry that fails while signatures are put beside the images: the same command puts the very same there."""
    control.inject(place.world, f"broken@registry:PUT =/v2/{NAME}/manifests/sha256-*#1x0")
    ran = release(place, "v1.0", engine)
    assert ran.returncode == 10, ran.stderr
    assert ran.stderr.count("error:") == 1
    assert "sign-images" in ran.stderr
    assert "pypi" not in {index for index, _ in place.stored()}
    assert digest(place, "latest") == ""
    made = log_entries(place)
    control.clear(place.world)
    again = release(place, "v1.0", engine)
    assert again.returncode == 0, again.stderr
    assert log_entries(place) == made
    for tag in ("latest", "latest-dev"):
        (signed,) = json.loads(skopeo(place, digest(place, tag).replace(":", "-"), "--raw"))["manifests"]
        assert signed["artifactType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"


def log_entries(place: LocalRelease) -> int:
    """How many signatures the log has got."""
    return sum(each["path"] == "/api/v1/log/entries" for each in place.requests())


def stopped_when(place: LocalRelease, engine: TestEngine, text: str, number: signal.Signals) -> tuple[int, str]:  # noqa: F811
    """Release, and send the signal once the run has printed a text. Returns the exit code and the output."""
    log, aside = place.world.parent / "output", place.world.parent / "aside"
    aside.mkdir(exist_ok=True)
    with log.open("wb") as stream:
        running = forked.start(
            ["release", "--world", str(place.world_file), "v1.0"],
            cwd=place.repo.path,
            env={**os.environ, **engine.environ, "TMPDIR": str(aside)},
            output=stream,
            err=stream,
        )
    deadline = time.monotonic() + 40
    while text not in log.read_text() and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(number)
    code = running.wait(20)
    assert list(aside.iterdir()) == []
    return code, log.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["interrupted", "terminated"])
def test_a_build_that_is_stopped(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    runnable_image: str,  # noqa: F811 - the fixture
    number: signal.Signals,
) -> None:
    """The builder ends with the run, its image does not exist, and no file is left."""
    repo: Repo = project(tmp_path / "small", runnable_image)
    repo.commit({"Dockerfile": SLEEPY.format(base=runnable_image)})
    repo.git("tag", "--force", "v1.0")
    with start_image_release(tmp_path, repo) as place:
        code, output = stopped_when(place, engine, "RUN sleep", number)
        assert code == 128 + number, output
        assert "error: the run was stopped\nnext:  run the same command again" in output
        assert "nothing was uploaded or published" in output
        assert commit(place) not in engine.docker("images", "--format", "{{.Tag}}")
        assert place.stored() == []


def test_a_push_that_is_stopped(place: LocalRelease, engine: TestEngine) -> None:  # noqa: F811 - the fixture
    """The engine keeps no name of the registry, nothing is promoted, and the same command finishes."""
    control.inject(place.world, "broken@registry:PATCH =/v2/*#1x0")
    code, output = stopped_when(place, engine, "The push refers to", signal.SIGINT)
    assert code == 130, output
    assert "registry: possibly in part" in output
    names = engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    mine = [name for name in names if commit(place) in name]
    assert mine
    assert all(name.startswith("unmoor.local/") for name in mine)
    assert "pypi" not in {index for index, _ in place.stored()}
    control.clear(place.world)
    again = release(place, "v1.0", engine)
    assert again.returncode == 0, again.stderr
    assert digest(place, "latest") == digest(place, "v1.0") != ""


@contextmanager
def passed_on(at: Path, host: str) -> Iterator[Callable[[], None]]:
    """Forward a socket of the test to an engine; the returned function cuts every connection for good."""
    ends: list[socket.socket] = []

    def pump(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

    def take() -> None:
        with contextlib.suppress(OSError):
            while True:
                here = listening.accept()[0]
                there = socket.socket(socket.AF_UNIX)
                ends.extend((here, there))
                there.connect(host.removeprefix("unix://"))
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    def cut() -> None:
        at.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    with socket.socket(socket.AF_UNIX) as listening, contextlib.ExitStack() as closing:
        listening.bind(str(at))
        listening.listen(64)
        taking = threading.Thread(target=take, daemon=True)
        taking.start()
        try:
            yield cut
        finally:
            cut()
            taking.join(5)
            for end in ends:
                closing.push(end)


def test_an_engine_that_goes_away_during_a_build(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    runnable_image: str,  # noqa: F811 - the fixture
) -> None:
    """The error names the engine, not the Dockerfile, and what to do."""
    repo = project(tmp_path / "small", runnable_image)
    repo.commit({"Dockerfile": SLEEPY.format(base=runnable_image)})
    repo.git("tag", "--force", "v1.0")
    # A folder of a test is too deep for the name of a socket.
    with tempfile.TemporaryDirectory() as short, start_image_release(tmp_path, repo) as place:
        log, at = tmp_path / "output", Path(short, "engine")
        with passed_on(at, engine.host) as cut, log.open("wb") as stream:
            running = forked.start(
                ["release", "--world", str(place.world_file), "v1.0"],
                cwd=repo.path,
                env={**os.environ, **engine.environ, "DOCKER_HOST": f"unix://{at}"},
                output=stream,
                err=stream,
            )
            deadline = time.monotonic() + 40
            while "RUN sleep" not in log.read_text() and running.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            cut()
            assert running.wait(30) == 10, log.read_text()
        assert "error: the connection to the engine broke while it built" in log.read_text()
        assert place.stored() == []


def test_undo_moves_floating_tags_back(place: LocalRelease, engine: TestEngine) -> None:  # noqa: F811 - the fixture
    """The release says where they were, so any machine moves them back, and says so before."""
    assert release(place, "v1.0", engine).returncode == 0
    one = digest(place, "latest")
    next_version(place, "1.1")
    assert release(place, "v1.1", engine).returncode == 0
    assert digest(place, "latest") == digest(place, "v1.1") != one
    (place.repo.path / ".unmoor" / "v1.1" / "pointers.json").unlink()
    target = ("--world", str(place.world_file), "v1.1")
    dry = place.unmoor("undo", *target, env=engine.environ)
    assert f"image-tags: would be moved back to {one}, which is v1.0: ghcr.io/{NAME}:latest" in dry.stdout
    assert digest(place, "latest") == digest(place, "v1.1")
    applied = place.unmoor("undo", "--apply", *target, env=engine.environ)
    assert (applied.returncode, applied.stdout) == (0, dry.stdout.replace("would be ", ""))
    assert {digest(place, tag) for tag in ("latest", "1", "v1.0")} == {one}
    assert digest(place, "v1.1") not in {"", one}
    assert digest(place, "1.1") == ""


@pytest.mark.parametrize(
    ("run", "code", "words"),
    [
        ("sleep 60", 14, "hostile: it ran for more than 2 s and was stopped"),
        ("yes", 14, "hostile: it printed more than 1000000 bytes and was stopped"),
        ("echo oh; exit 3", 8, "hostile ended with exit code 3\n  | oh"),
    ],
    ids=["hangs", "floods", "fails"],
)
def test_a_hostile_smoke_command(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    runnable_image: str,  # noqa: F811 - the fixture
    *,
    run: str,
    code: int,
    words: str,
) -> None:
    """One clear error with its exit code; no container of it is left, and nothing is sent."""
    repo = project(tmp_path / "small", runnable_image)
    smoke = '\n[[tool.unmoor.image.smoke]]\nname = "hostile"\nentrypoint = "sh"\ntargets = ["production"]\n'
    text = (repo.path / "pyproject.toml").read_text() + smoke + f'run = ["-c", "sleep 61 & {run}"]\ntimeout = 2\n'
    repo.commit({"pyproject.toml": text})
    repo.git("tag", "--force", "v1.0")
    with start_image_release(tmp_path, repo) as place:
        ran = release(place, "v1.0", engine)
        assert ran.returncode == code, ran.stderr
        assert words in ran.stderr
        assert "nothing was uploaded or published" in ran.stderr
        assert place.stored() == []
        assert runnable_image not in engine.docker("ps", "--all", "--format", "{{.Image}} {{.Command}}")
        assert "sleep 61" not in engine.docker("ps", "--all", "--no-trunc", "--format", "{{.Command}}")
