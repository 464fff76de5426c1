"""Releases with images through the command line, with a real engine and a real registry; skopeo reads the digests."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support import forked, local_release, sample_projects
from tests.support.engines import TestEngine, engine, require_programs, tiny_image  # noqa: F401 - fixtures
from tests.support.git_repos import Repo
from tests.support.local_release import CHANGELOG, SETTINGS, UNMOOR, LocalRelease
from tests.support.syft import syft_stand_in

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

IMAGES = """
[[tool.unmoor.image]]
targets = {{ production = {{ suffix = "", floating = "" }}, development = "-dev" }}
platforms = [{platforms}]
optional = {optional}
"""
DOCKERFILE = "FROM {base} AS development\nCOPY dist/ /dist/\nFROM development AS production\nUSER 1000\n"
NAME = "acme/small"


def project(
    path: Path, base: str, *, platforms: str = '"linux/amd64"', optional: str = "false", varies: bool = False
) -> Repo:
    """Create a repository of a small project with a Dockerfile, at version 1.0. If it ``varies``, so does its sdist."""
    more = SETTINGS.replace("test-command", "# test-command") + IMAGES.format(platforms=platforms, optional=optional)
    files = sample_projects.files("small-one", "1.0", more=more) | {
        "CHANGELOG.md": CHANGELOG,
        "Dockerfile": DOCKERFILE.format(base=base),
        **({"watched": ""} if varies else {}),
    }
    repo = Repo.new(path, files)
    repo.git("tag", "v1.0")
    return repo


@contextmanager
def start_image_release(folder: Path, repo: Repo) -> Iterator[LocalRelease]:
    """Start a world with a registry."""
    require_programs("docker-registry", "skopeo")
    with local_release.start_release(folder, repo, registry=True) as place:
        yield place


def skopeo(place: LocalRelease, tag: str, *options: str) -> str:
    """The output of skopeo for a tag without credentials; empty if there is no such tag."""
    text = place.world_file.read_text()
    host = next(line for line in text.splitlines() if line.startswith("address")).split('"')[1].removeprefix("http://")
    ran = subprocess.run(
        [
            *(shutil.which("skopeo") or "skopeo", "inspect", "--tls-verify=false", "--no-creds", *options),
            f"docker://{host}/{NAME}:{tag}",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return ran.stdout.strip()


def digest(place: LocalRelease, tag: str) -> str:
    """The digest of a tag; empty if there is no such tag."""
    return skopeo(place, tag, "--format={{.Digest}}")


def annotations_on(place: LocalRelease, tag: str) -> dict[str, str]:
    """The annotations of the manifest under a tag."""
    annotations: dict[str, str] = json.loads(skopeo(place, tag, "--raw")).get("annotations") or {}
    return annotations


def release(
    place: LocalRelease, tag: str, with_engine: TestEngine | None, *args: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Release a tag into the world."""
    env = dict(with_engine.environ) if with_engine else {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    return place.unmoor("release", "--world", str(place.world_file), *args, tag, env=env | variables)


def next_version(place: LocalRelease, version: str) -> None:
    """Commit another version and push its tag to the world's remote."""
    text = (place.repo.path / "pyproject.toml").read_text()
    current = text.split('version = "')[1].split('"')[0]
    changes = (
        (place.repo.path / "CHANGELOG.md").read_text().replace("# Changes\n", f"# Changes\n\n## {version}\n\n- More.\n")
    )
    place.repo.commit(
        {"pyproject.toml": text.replace(f'version = "{current}"', f'version = "{version}"'), "CHANGELOG.md": changes}
    )
    place.repo.git("tag", f"v{version}")
    place.repo.git("push", "--quiet", str(place.world / "remote.git"), f"v{version}")


def test_images_are_promoted_by_digest_and_floating_tags_never_move_back(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    tiny_image: str,  # noqa: F811 - the fixture
) -> None:
    """Every tag of a final is one digest; a candidate and a backport leave the floating tags."""
    with start_image_release(tmp_path, project(tmp_path / "small", tiny_image)) as place:
        # This version has bills of materials of its images, the others have none.
        path = f"{syft_stand_in(tmp_path)}{os.pathsep}{os.environ['PATH']}"
        first = release(place, "v1.0", engine, PATH=path)
        assert first.returncode == 0, first.stderr
        one = digest(place, "v1.0")
        assert one.startswith("sha256:")
        assert {digest(place, tag) for tag in ("1.0", "1", "latest")} == {one}
        assert digest(place, "v1.0-dev") not in {"", one}
        annotations = annotations_on(place, "latest")
        assert {name.removeprefix("org.opencontainers.image.") for name in annotations} >= {
            *("version", "revision", "source", "created", "title"),
        }
        assert annotations["org.opencontainers.image.revision"] == place.repo.git("rev-parse", "v1.0").strip()
        assert verified_images(place, tmp_path) == {one, digest(place, "v1.0-dev")}
        next_version(place, "1.2")
        assert release(place, "v1.2", engine).returncode == 0
        two = digest(place, "latest")
        assert two == digest(place, "v1.2") != one
        for version in ("1.3rc1", "1.1"):
            next_version(place, version)
            ran = release(place, f"v{version}", engine)
            assert ran.returncode == 0, ran.stderr
            assert digest(place, f"v{version}") not in {"", one, two}
            assert digest(place, "latest") == digest(place, "1") == two
        assert digest(place, "1.1") == digest(place, "v1.1")
        assert image_status(place, "v1.1") == (0, {"complete"})
        assert image_status(place, "v1.0") == (0, {"complete"})


def verified_images(place: LocalRelease, here: Path) -> set[str]:
    """The digests whose provenance and SBOM a stranger finds signed by the workflow, by ``unmoor verify``, of v1.0."""
    ran = subprocess.run(
        [str(UNMOOR), "verify", "v1.0", "--from-world", str(place.world_file), "--json"],
        cwd=here,
        env={"PATH": os.environ["PATH"], "HOME": str(here)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    items = [each for each in json.loads(ran.stdout)["checks"] if each["surface"] == f"ghcr.io/{NAME}"]
    named = [each for each in items if each["name"].startswith("sha256:")]
    assert [each["note"] for each in items if each not in named] == [items[1]["note"]] * len(named) * 2
    assert items[1]["note"].startswith("signed by acme/small/.github/workflows/release.yml")
    return {each["note"].partition(",")[0] for each in named}


def image_status(place: LocalRelease, tag: str) -> tuple[int, set[str]]:
    """The exit code of status on a machine without an engine, and the state of every image tag."""
    nowhere = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    ran = place.unmoor("status", "--world", str(place.world_file), "--json", tag, env=nowhere)
    (images,) = (each for each in json.loads(ran.stdout)["surfaces"] if each["surface"].startswith("ghcr.io"))
    assert {"latest", tag, tag.removeprefix("v")} <= {item["name"] for item in images["items"]}
    return ran.returncode, {item["state"] for item in images["items"]}


def test_another_machine_without_an_engine_finishes_what_was_held(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    tiny_image: str,  # noqa: F811 - the fixture
) -> None:
    """Between push and promotion no floating tag exists; a clone without an engine promotes the same digests."""
    with start_image_release(tmp_path, project(tmp_path / "small", tiny_image)) as place:
        held = release(place, "v1.0", engine, "--hold")
        assert held.returncode == 0, held.stderr
        assert digest(place, "latest") == digest(place, "v1.0") == ""
        assert image_status(place, "v1.0") == (12, {"complete", "incomplete"})
        pushed = digest(place, f"sha-{place.repo.git('rev-parse', 'v1.0')[:12]}")
        place.repo.git("clone", "--quiet", str(place.repo.path), str(tmp_path / "clone"))
        elsewhere = LocalRelease(repo=Repo(tmp_path / "clone"), world=place.world)
        before = len(blobs(place))
        rest = release(elsewhere, "v1.0", None)
        assert rest.returncode == 0, rest.stderr
        assert digest(place, "latest") == digest(place, "v1.0") == pushed
        assert len(blobs(place)) == before


def blobs(place: LocalRelease) -> list[str]:
    """Every blob of an image that was uploaded to the registry; a signature is sent in one request instead of two."""
    uploads = [each for each in place.requests() if each["server"] == "registry" and "/blobs/uploads/" in each["path"]]
    sent = {each["path"] for each in uploads if each["method"] == "PATCH"}
    return [each["path"] for each in uploads if each["method"] == "PUT" and each["path"] in sent]


KILLED = -9
"""The code of a process that SIGKILL ended."""
# Runs the command line in a process that is killed when it would put a manifest under this tag; empty means any tag.
_DYING = """
import os, signal
from unmoor.adapters.registry.client import OciRegistry
from unmoor.cli import main

put = OciRegistry.put

def dying(self, tag, manifest):
    if os.environ["DYING_AT"] in {"", tag}:
        os.kill(os.getpid(), signal.SIGKILL)
    return put(self, tag, manifest)

OciRegistry.put = dying
main()
"""


def die(place: LocalRelease, engine: TestEngine, tag: str) -> None:  # noqa: F811 - the fixture
    """Release v1.0, and kill the run when it would put a manifest under a tag."""
    ran = forked.run(
        ["release", "--world", str(place.world_file), "v1.0"],
        cwd=place.repo.path,
        env={**os.environ, **engine.environ, "DYING_AT": tag},
        timeout=110,
        code=_DYING,
    )
    assert ran.returncode == KILLED, ran.stderr


@pytest.mark.parametrize(("tag", "there"), [("v1.0", ""), ("latest", "v1.0")], ids=["version", "floating"])
def test_killed_between_push_and_promotion(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    tiny_image: str,  # noqa: F811 - the fixture
    tag: str,
    there: str,
) -> None:
    """The index has the files, but no image its tag; the same command tags it and uploads no blob again."""
    with start_image_release(tmp_path, project(tmp_path / "small", tiny_image)) as place:
        die(place, engine, tag)
        pushed, sent = digest(place, f"sha-{place.repo.git('rev-parse', 'v1.0')[:12]}"), len(blobs(place))
        assert "pypi" in {index for index, _ in place.stored()}
        assert digest(place, tag) == digest(place, "latest") == ""
        assert digest(place, "v1.0") == (pushed if there else "")
        again = release(place, "v1.0", engine)
        assert again.returncode == 0, again.stderr
        assert {digest(place, each) for each in ("v1.0", "1.0", "1", "latest")} == {pushed}
        assert len(blobs(place)) == sent


def test_killed_between_push_and_annotation(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    tiny_image: str,  # noqa: F811 - the fixture
) -> None:
    """The pushed image lacks annotations; the same command adds them and uploads no blob twice."""
    with start_image_release(tmp_path, project(tmp_path / "small", tiny_image)) as place:
        die(place, engine, "")
        tag = f"sha-{place.repo.git('rev-parse', 'v1.0')[:12]}"
        before, sent = digest(place, tag), len(blobs(place))
        assert before.startswith("sha256:")
        assert annotations_on(place, tag) == {}
        assert digest(place, "v1.0") == ""
        assert release(place, "v1.0", engine).returncode == 0
        assert "org.opencontainers.image.version" in annotations_on(place, "v1.0")
        assert digest(place, "v1.0") == digest(place, tag) != before
        # What is sent now is the other target's own: a configuration at the most.
        sizes = sent, len(blobs(place))
        assert sizes[1] - sizes[0] <= 1, sizes


# Runs the command line in a process that is killed when it would call a function, written as MODULE:NAME.
_DYING_BEFORE = """
import importlib, os, signal
from unmoor.cli import main

place, _, name = os.environ["DYING_BEFORE"].partition(":")
*owners, name = name.split(".")
owner = importlib.import_module(place)
for each in owners:
    owner = getattr(owner, each)
setattr(owner, name, lambda *args, **more: os.kill(os.getpid(), signal.SIGKILL))
main()
"""
_TAGGED = "{{.Repository}}:{{.Tag}}"
_BOUNDARIES = {
    "1.0": "unmoor.stages.registry:PushImages.make",
    "1.1": "unmoor.stages.registry:push_record.attach_record",
    "1.2": "unmoor.stages.sign_images:put_bundle",
    "1.3": "unmoor.stages.pypi:UploadIndex.make",
    "1.4": "unmoor.stages.image_tags:TagImages.make",
    "1.5": "unmoor.stages.undraft:PublishDraft.make",
}
"""Where the release of each version is killed: each boundary from the draft to the public release."""
_TRIED = _BOUNDARIES if os.environ.get("CHAOS") else {each: _BOUNDARIES[each] for each in ("1.1", "1.2")}
"""Usually those within a stage: `test_boundaries` loses the machine between two. `make chaos` tries all."""


def test_another_machine_finishes_from_every_boundary(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    tiny_image: str,  # noqa: F811 - the fixture
) -> None:
    """The machine dies after the draft is made, and its folder and images are lost: the printed digests are enough."""
    with start_image_release(tmp_path, project(tmp_path / "small", tiny_image)) as place:
        for version, boundary in _TRIED.items():
            if version != "1.0":
                next_version(place, version)
            killed = forked.run(
                ["release", "--world", str(place.world_file), f"v{version}"],
                cwd=place.repo.path,
                env={**os.environ, **engine.environ, "DYING_BEFORE": boundary},
                timeout=110,
                code=_DYING_BEFORE,
            )
            assert killed.returncode == KILLED, killed.stderr
            commit, pushed = place.repo.git("rev-parse", f"v{version}").strip(), len(blobs(place))
            shutil.rmtree(place.repo.path / ".unmoor")
            built = f"unmoor.local/ghcr.io/{NAME}:sha-{commit[:12]}*"
            engine.docker("image", "rm", *engine.docker("image", "ls", f"--format={_TAGGED}", built).split())
            place.repo.git("clone", "--quiet", str(place.repo.path), str(tmp_path / version))
            other = LocalRelease(repo=Repo(tmp_path / version), world=place.world, state=tmp_path / f"state-{version}")
            printed = re.findall(r"sha256 of [a-z]+\.json: ([0-9a-f]{64})", killed.stderr)
            assert len(printed) == 2, killed.stderr
            vouched = [option for each in printed for option in ("--manifest-sha256", each)]
            # Before the push, an image that is lost is built again; after it, no engine is needed.
            finished = release(other, f"v{version}", engine if version == "1.0" else None, *vouched)
            assert finished.returncode == 0, finished.stderr
            assert digest(place, "latest") == digest(place, f"v{version}") == digest(place, f"sha-{commit[:12]}")
            assert version == "1.0" or len(blobs(place)) == pushed
            # Its provenance; and its bill of materials, on a machine with syft.
            listed = json.loads(skopeo(place, digest(place, "latest").replace(":", "-"), "--raw"))["manifests"]
            assert {each["artifactType"] for each in listed} == {"application/vnd.dev.sigstore.bundle.v0.3+json"}
            assert image_status(other, f"v{version}") == (0, {"complete"})
            assert place.stored().count(("pypi", f"small_one-{version}.tar.gz")) == 1


def test_a_private_package_is_incomplete(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    tiny_image: str,  # noqa: F811 - the fixture
) -> None:
    """An image that nobody can pull is incomplete, with its settings page; once public, the same command succeeds."""
    with start_image_release(tmp_path, project(tmp_path / "small", tiny_image)) as place:
        private = place.world / "registry" / "ghcr.io" / "private"
        private.write_text("*\n")
        ran = release(place, "v1.0", engine)
        assert ran.returncode == 12, ran.stderr
        assert "make it public at" in ran.stderr
        private.unlink()
        again = release(place, "v1.0", engine, "--json")
        assert again.returncode == 0, again.stderr
        made = {stage["name"] for stage in json.loads(again.stdout)["stages"] if stage["state"] == "made"}
        # There is nothing in the image that syft knows, so a machine that has it asks again.
        assert made - {"sbom-images"} == {"tag", "access", "notes", "check-dists", "scan", "scan-images", "verify"}


def test_a_missing_platform_means_no_tag_at_all(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    tiny_image: str,  # noqa: F811 - the fixture
) -> None:
    """If one of two platforms cannot be built, nothing is pushed and nothing final happens."""
    repo = project(tmp_path / "small", tiny_image, platforms='"linux/amd64", "linux/s390x"')
    with start_image_release(tmp_path, repo) as place:
        ran = release(place, "v1.0", engine)
        assert ran.returncode != 0
        assert "s390x" in ran.stderr
        assert blobs(place) == []
        assert digest(place, "v1.0") == digest(place, "latest") == ""
        assert "pypi" not in {index for index, _ in place.stored()}


@pytest.mark.parametrize(
    ("optional", "code", "words"), [("false", 13, "DOCKER_HOST"), ("true", 0, "skipping the optional image")]
)
def test_without_an_engine(tmp_path: Path, optional: str, code: int, words: str) -> None:
    """Without an engine the release fails with a clear message, or skips optional images with a warning."""
    with start_image_release(tmp_path, project(tmp_path / "small", "scratch", optional=optional)) as place:
        ran = release(place, "v1.0", None)
        assert ran.returncode == code, ran.stderr
        assert words in ran.stderr
