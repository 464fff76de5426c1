"""Every advice about a checkout, the tests of a project, and the limits of surfaces leads on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.support.advice_walks import Place, Walk, also, keep, walk
from tests.support.sample_values import FakeClock, sample_release
from tests.support.shells import shell_for_tests

from unmoor.adapters import uv_settings
from unmoor.adapters.forge import GitHubForge
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.process.shell import LocalShell
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.merge import Handover, merge_manifests
from unmoor.cli.app import cli
from unmoor.config.groups import SuiteOptions
from unmoor.config.real_world import real_world
from unmoor.dists.building import DistBuilder
from unmoor.dists.inspect import Metadata
from unmoor.dists.testing.interpreters import choose_interpreter
from unmoor.dists.testing.suites import choose_suite
from unmoor.images.tags import TagContext, plan
from unmoor.ports.environments import Environments, Interpreter
from unmoor.ports.forge import ForgeAsset, ForgeRelease
from unmoor.products import Dists, File, Tool
from unmoor.project.files import Files
from unmoor.publish import release_assets
from unmoor.publish.rebuild_check import published_manifest, release_of
from unmoor.rehearsal.prepare import prepare
from unmoor.util.values import replace

PROJECT = "[project]\nname = 'demo'\nversion = '1.0'\n"
GROUP = b"[dependency-groups]\ntest = ['pytest']\n"


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


def _image_tags(place: Place) -> object:
    """Run ``unmoor image-tags`` with the arguments that the walk keeps."""
    words = ["image-tags", "--directory", str(place.repo.path), "--rules", "type=sha", *place.kept.get("args", ())]
    return cli.main(words, standalone_mode=False)


def _on_actions(place: Place) -> object:
    """Run it as a job of GitHub Actions, with the variables that the walk keeps."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ({"GITHUB_ACTIONS": "true"} | place.kept.get("environ", {})).items():
            patch.setenv(name, value)
        return _image_tags(place)


def _repo(**kept: object) -> Callable[[Place], None]:
    def begin(place: Place) -> None:
        place.new_repo({"pyproject.toml": PROJECT})
        place.kept.update(kept)

    return begin


def _detached(place: Place) -> None:
    _repo()(place)
    place.repo.git("checkout", "--quiet", "--detach")


def _option(text: str) -> list[str]:
    """The first option that a text names, with its value."""
    words = text[text.index("--") :].replace(",", " ").split()
    return words[:2]


def _prepare(place: Place) -> object:
    into = place.folder / f"into-{len(list(place.folder.iterdir()))}"
    into.mkdir()
    return prepare(GitCheckout(place.kept["start"], place.shell), place.shell, into, tag=None)


def _no_commit(place: Place) -> None:
    _repo()(place)
    empty = place.folder / "empty"
    place.repo.git("init", "--quiet", "--template=", str(empty))
    place.kept["start"] = empty


def _unparsable(place: Place) -> None:
    place.new_repo({"pyproject.toml": PROJECT.replace("1.0", "soon")})
    place.kept["start"] = place.repo.path


def _linked_version(place: Place) -> None:
    (place.folder / "outside.toml").write_text(PROJECT.replace("1.0", "1.0.dev0"))
    place.new_repo({"README": "x"})
    (place.repo.path / "pyproject.toml").symlink_to(place.folder / "outside.toml")
    place.repo.commit({})
    place.kept["start"] = place.repo.path


def _replace_link(place: Place, _: str) -> None:
    (place.repo.path / "pyproject.toml").unlink()
    place.repo.commit({"pyproject.toml": PROJECT})


def _suite(place: Place) -> object:
    options = SuiteOptions(**place.kept["options"])
    files = place.kept.get("files", {"tests/test_x.py": b""})
    metadata = Metadata(name="demo", version="1.0", requires=("pytest; extra == 'test'",), extras=("test",))
    return choose_suite(options, metadata, Files(files.get, lambda: tuple(files)))


@dataclass
class OtherPythons:
    """The interpreters of a machine: this one cannot be changed by a test."""

    versions: tuple[str, ...]

    def own(self) -> Interpreter:
        """The one that runs unmoor."""
        return Interpreter(version="3.11.7", path="/usr/bin/python3.11")

    def pythons(self) -> tuple[Interpreter, ...]:
        """Every one."""
        return tuple(Interpreter(version=each, path=f"/usr/bin/python{each}") for each in self.versions)


def _python(requires: str, wanted: str) -> Walk:
    def act(place: Place) -> object:
        environments: Environments = OtherPythons(place.kept["pythons"])  # type: ignore[assignment]
        return choose_interpreter(environments, requires=requires, wanted=wanted)

    return Walk(begin=keep(pythons=("3.11.7",)), act=act, follow=keep(pythons=("3.11.7", "3.14.1")))


def _pinned(place: Place) -> object:
    """Build with the interpreter of an earlier build."""
    environments: Environments = OtherPythons(place.kept["pythons"])  # type: ignore[assignment]
    backend = cast("Any", SimpleNamespace(tools=lambda: (), under=lambda _: None))
    backend.on = lambda _: backend
    builder = DistBuilder(git=cast("Any", None), backend=backend, environments=environments)
    return builder._again((Tool(name="python", version="3.14.1"),))


def _published(place: Place) -> object:
    """Read the manifest of the public release that the walk names, for a build of it here."""
    release = sample_release()
    there = place.kept["releases"].get(place.kept["tag"])
    forge = SimpleNamespace(public=lambda _: there, address="the forge", fetch=lambda *_: place.kept["manifest"])
    _, manifest = published_manifest(cast("Any", forge), place.kept["tag"])
    given = place.kept.get("settings", "")
    return release_of(manifest, tag=release.tag, commit=release.commit, date=1, settings=given, where="there")


def _release_with_manifest(place: Place) -> None:
    """One release without a manifest, and one that was made with settings from a file."""
    path = place.folder / manifests.NAME
    path.write_bytes(
        manifests.encode(replace(_manifest(), settings="own.toml sha256:1", commit=sample_release().commit))
    )
    asset = ForgeAsset(id=1, name=manifests.NAME, size=1, sha256=None, uploaded=True, url="there")
    texts: Any = dict.fromkeys(("tag", "target", "name", "body", "url", "upload_url"), "")
    other = ForgeRelease(id=1, draft=False, prerelease=False, assets=(), **texts)
    releases = {"v0.1": other, "v1.0": replace(other, assets=(asset,))}
    place.kept |= {"manifest": SimpleNamespace(path=path), "releases": releases, "tag": "v0.1"}


def _manifest(commit: str = "a" * 40, data: bytes = b"x") -> Manifest:
    file = File(name="demo-1.0.tar.gz", sha256=f"{len(data):064x}", size=1, path=Path("demo-1.0.tar.gz"))
    return Manifest.of(replace(sample_release(), commit=commit), Dists(files=(file,)))


def _legs(first: Manifest, second: Manifest) -> Walk:
    def act(place: Place) -> object:
        jobs = [Handover(dists=Path(name), manifest=Path(name) / manifests.NAME) for name in ("one", "two")]
        return merge_manifests(list(zip(jobs, place.kept["manifests"], strict=True)))

    return Walk(begin=keep(manifests=(first, second)), act=act, follow=keep(manifests=(first, first)))


def _assets(check: Callable[[File], object], wrong: File, right: File) -> Walk:
    return Walk(begin=keep(file=wrong), act=lambda place: check(place.kept["file"]), follow=keep(file=right))


def _forge(place: Place) -> object:
    world = real_world("owner/name", {})
    with BoundedSession() as http:
        return GitHubForge(replace(world.forge, repository=place.kept["repository"]), http, FakeClock())


def _groups(place: Place) -> object:
    rule = f"type=match,pattern={'(' * place.kept['deep']}x{')' * place.kept['deep']}"
    return plan(
        [rule],
        (),
        ("ghcr.io/a/b",),
        TagContext(ref="refs/tags/x", sha="0" * 40, event="push", now=datetime(2026, 1, 31, tzinfo=UTC)),
    )


def _program(place: Place) -> object:
    return place.shell.run((str(place.folder / "tool"),), cwd=place.folder, env={})


def _tool(mode: int) -> Callable[..., object]:
    def begin(place: Place, *_: str) -> None:
        (place.folder / "tool").write_text("#!/bin/sh\n")
        (place.folder / "tool").chmod(mode)

    return begin


FILE = File(name="demo-1.0.tar.gz", sha256="0" * 64, size=1, path=Path("demo-1.0.tar.gz"))
WALKS: dict[str, Walk] = {
    "name-a-ref": Walk(
        begin=_detached, act=_image_tags, follow=lambda place, text: place.kept.update(args=_option(text))
    ),
    "write-full-ref": Walk(
        begin=_repo(args=["--ref", "main"]),
        act=_image_tags,
        follow=lambda place, text: place.kept.update(args=["--ref", text.removeprefix("write it as ").split()[0]]),
    ),
    "set-sha-length": Walk(
        begin=_repo(environ={"DOCKER_METADATA_SHORT_SHA_LENGTH": "99", "GITHUB_ACTIONS": ""}),
        act=_on_actions,
        follow=lambda place, text: place.kept.update(
            environ={
                "DOCKER_METADATA_SHORT_SHA_LENGTH": text.partition("from ")[2].split()[0],
                "GITHUB_ACTIONS": "",
            }
        ),
    ),
    "write-it-as a time": Walk(
        begin=_repo(args=["--date", "today"]),
        act=_image_tags,
        follow=lambda place, text: place.kept.update(args=["--date", text.removeprefix("write it as ")]),
    ),
    "commit-something": Walk(
        begin=_no_commit,
        act=_prepare,
        follow=lambda place, _: place.kept.update(start=place.repo.path),
    ),
    "write-a-version": Walk(
        begin=_unparsable,
        act=_prepare,
        follow=lambda place, text: place.repo.commit(
            {"pyproject.toml": PROJECT.replace("1.0", text.partition("such as ")[2].partition(";")[0])}
        ),
    ),
    "keep-notes-inside": Walk(begin=_linked_version, act=_prepare, follow=_replace_link),
    "name-an-extra": Walk(
        begin=keep(options={"extras": ("tests",)}),
        act=_suite,
        follow=lambda place, text: place.kept.update(options={"extras": (text.partition(": ")[2].split(", ")[0],)}),
    ),
    "correct-test-groups": Walk(
        begin=keep(options={"groups": ("tests",), "command": "pytest"}, files={"pyproject.toml": GROUP}),
        act=_suite,
        follow=keep(options={"groups": ("test",), "command": "pytest"}),
    ),
    "correct-test-requires": Walk(
        begin=keep(options={"requires": ("-r r.txt",), "command": "pytest"}, files={"tests.txt": b"pytest"}),
        act=_suite,
        follow=keep(options={"requires": ("-r tests.txt",), "command": "pytest"}),
    ),
    "install-python": _python("", "3.14"),
    "name-release-by-unmoor": Walk(
        begin=_release_with_manifest, act=_published, follow=keep(tag="v1.0"), then="pass-settings-of-release"
    ),
    "pass-settings-of-release": Walk(
        begin=also(_release_with_manifest, keep(tag="v1.0")),
        act=_published,
        follow=keep(settings="own.toml sha256:1"),
    ),
    "install-that-python": Walk(
        begin=keep(pythons=("3.11.7",)), act=_pinned, follow=keep(pythons=("3.11.7", "3.14.1"))
    ),
    "install-compatible-python": _python(">=3.14", "auto"),
    "hand-over-one-commit": _legs(_manifest(), _manifest("b" * 40)),
    "build-each-file-once": _legs(_manifest(), _manifest(data=b"xy")),
    "rename-file": _assets(release_assets._require_safe_name, replace(FILE, name="demo+1.tar.gz"), FILE),
    "shrink-asset": _assets(release_assets._require_size, replace(FILE, size=2**31), FILE),
    "build-fewer-wheels": Walk(
        begin=keep(count=1001),
        act=lambda place: release_assets._require_count(place.kept["count"]),
        follow=keep(count=9),
    ),
    "write-repository": Walk(
        begin=keep(repository="name"),
        act=_forge,
        follow=lambda place, text: place.kept.update(repository=text.split('"')[1]),
    ),
    "correct-uv-settings": Walk(
        begin=lambda place: (place.folder / "uv.toml").write_text("[broken\n"),
        act=lambda place: uv_settings.settings({"UV_CONFIG_FILE": str(place.folder / "uv.toml"), "HOME": "/nowhere"}),
        follow=lambda place, _: (place.folder / "uv.toml").write_text(""),
    ),
    "correct-uv-config-file": Walk(
        begin=keep(file="/nowhere/uv.toml"),
        act=lambda place: uv_settings.settings({"UV_CONFIG_FILE": place.kept["file"], "HOME": "/nowhere"}),
        follow=keep(file=""),
    ),
    "nest-fewer-groups": Walk(begin=keep(deep=490), act=_groups, follow=keep(deep=1)),
    "install-program": Walk(begin=lambda _: None, act=_program, follow=_tool(0o755)),
}


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path, shell: LocalShell) -> None:
    """What the advice says is enough, or ends in another error."""
    walk(name, WALKS, Place(folder=tmp_path, shell=shell))
