"""Saved images are the same on the engine of a later job."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.engines import TestEngine, engine, tiny_image  # noqa: F401 - fixtures
from tests.support.local_release import small_repo, start_release

DOCKERFILE = "FROM {base}\nCOPY dist/ /dist/\nUSER 1000\n"

pytestmark = pytest.mark.journey


def test_saved_images_are_the_same_for_a_later_job(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    tiny_image: str,  # noqa: F811 - the fixture
) -> None:
    """A dry run saves its images, the engine loses them, and the next job loads and pushes the same ids."""
    repo = small_repo(tmp_path / "small", Dockerfile=DOCKERFILE.format(base=tiny_image))
    env = dict(engine.environ)
    with start_release(tmp_path, repo, registry=True) as place:
        args = ("release", "--world", str(place.world_file))
        built = place.unmoor(
            *args, "--dry-run", "--until", "prove-images", "--until", "prove-dists", "--keep-images", "v1.0", env=env
        )
        assert built.returncode == 0, built.stderr
        assert (repo.path / ".unmoor" / "v1.0" / "images.tar").is_file()
        name = f"unmoor.local/ghcr.io/acme/small:sha-{repo.git('rev-parse', 'v1.0')[:12]}-linux-amd64"
        before = engine.docker("inspect", "--format={{.Id}}", name)
        engine.docker("rmi", "--force", name)
        ran = place.unmoor(*args, "--hold", "v1.0", env=env)
        assert ran.returncode == 0, ran.stderr
        assert "building with" not in ran.stderr
        assert engine.docker("inspect", "--format={{.Id}}", name) == before
