"""A rehearsal leaves no image in the engine, however it ends."""

from __future__ import annotations

import os
import signal
import time
import uuid
from pathlib import Path

import pytest
from tests.support import forked, sample_projects
from tests.support.engines import TestEngine, engine, require_programs, runnable_image  # noqa: F401 - fixtures
from tests.support.git_repos import Repo
from tests.support.local_release import CHANGELOG, SETTINGS

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

SMOKE = {"to its end": '["echo", "fine"]', "with a failure": '["cat", "/nothing"]', "with Ctrl-C": '["sleep", "100"]'}
CODES = {"to its end": 0, "with a failure": 8, "with Ctrl-C": 130}


def project(path: Path, base: str, name: str, smoke: str) -> Repo:
    """Create a repository with an image of this name and this smoke command."""
    image = f'\n[[tool.unmoor.image]]\nname = "ghcr.io/acme/{name}"\nsmoke = [{{ name = "it", run = {smoke} }}]\n'
    files = sample_projects.files("small-one", "1.0", more=SETTINGS.replace("test-command", "# test-command") + image)
    dockerfile = f"FROM {base}\nCOPY dist/ /dist/\nRUN echo one > /one\nUSER 1000\n"
    repo = Repo.new(path, files | {"CHANGELOG.md": CHANGELOG, "Dockerfile": dockerfile})
    repo.git("tag", "v1.0")
    repo.git("remote", "add", "origin", "https://github.com/acme/small")
    return repo


def names(of: TestEngine, name: str) -> set[str]:
    """Every name and digest in the engine of images of this name."""
    listed = of.docker("image", "ls", "--all", "--digests", "--format", "{{.Repository}}:{{.Tag}}@{{.Digest}}")
    return {line for line in listed.splitlines() if name in line}


@pytest.mark.parametrize("end", SMOKE)
def test_no_image_is_left(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    runnable_image: str,  # noqa: F811 - the fixture
    end: str,
) -> None:
    """Neither the built nor the pulled image is left; a real release's image of that commit stays."""
    require_programs("docker-registry")
    name = f"rehearsed-{uuid.uuid4().hex[:12]}"
    repo = project(tmp_path / "small", runnable_image, name, SMOKE[end])
    kept = f"unmoor.local/ghcr.io/acme/{name}:sha-{repo.git('rev-parse', 'v1.0')[:12]}-linux-amd64"
    engine.docker("image", "tag", runnable_image, kept)
    output = tmp_path / "output"
    try:
        with output.open("wb") as stream:
            env = {**os.environ, **engine.environ}
            ran = forked.start(["rehearse", "v1.0"], cwd=repo.path, env=env, output=stream, err=stream)
        if end == "with Ctrl-C":
            journal = repo.path / ".unmoor/rehearsal/checkout/.unmoor/v1.0/journal.jsonl"
            until = time.monotonic() + 120
            while not (journal.exists() and '"event":"begins","stage":"prove-images"' in journal.read_text()):
                assert ran.poll() is None, output.read_text()
                assert time.monotonic() < until, output.read_text()
                time.sleep(0.05)
            assert len(names(engine, name)) == 2
            ran.send_signal(signal.SIGINT)
        assert ran.wait(120) == CODES[end], output.read_text()
        assert names(engine, name) == {f"{kept}@<none>"}
        assert "could not remove the images" not in output.read_text()
    finally:
        engine.docker("image", "rm", kept)
