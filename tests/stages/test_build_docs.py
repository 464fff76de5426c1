"""The stage ``build-docs`` builds with the wheel, in a clone, and records one archive that is the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from tests.stages.conftest import RELEASE, StageInputs
from tests.support import sample_projects

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.manifest import Manifest
from unmoor.config.docs import DocsSettings
from unmoor.core.stage import Output
from unmoor.deploy.docs.archive import tree_of
from unmoor.errors import BuildFailed, CheckFailed, ConfigError, Conflict, ToolMissing, Unknown, UnmoorError
from unmoor.products import BuiltDocs, Dists, Proof, Result, Subject, Verdict
from unmoor.stages.build_docs import BuildDocs
from unmoor.util.values import replace

pytestmark = pytest.mark.journey  # real environments and clones

MakeInputs = Callable[..., StageInputs]
DISTS: Output[Dists] = Output("dists")
GROUP = "\n[dependency-groups]\ndocs = []\n"
WRITES = "import sys, pathlib\nout = pathlib.Path(sys.argv[1])\nout.mkdir()\n"
PAGE = "(out / 'index.html').write_text({})\n"
PATH = "sys.path[:0] = ['src', '.']\n"
ONLY_HERE = {"extra_one/__init__.py": ""}


def inputs(make_inputs: MakeInputs, script: str, more: dict[str, str] | None = None) -> StageInputs:
    """A project whose documentation is written by a script."""
    files = sample_projects.files("small-one", "1.0", more=GROUP)
    return make_inputs(files | {"docs/build.py": WRITES + script} | (more or {}))


def stage(at: StageInputs, **settings: Any) -> BuildDocs:
    """The stage, with the real uv and git."""
    given: dict[str, Any] = {"builder": "python docs/build.py {out}", "to": "branch:gh-pages", **settings}
    return BuildDocs(
        release=RELEASE,
        dists=DISTS,
        settings=DocsSettings(**given),
        git=at.git,
        environments=at.uv,
        forge=cast("Any", None),
        folder=at.folder,
    )


def test_the_archive_is_found_again_and_is_the_same_on_another_machine(make_inputs: MakeInputs) -> None:
    """Imports come from the wheel although the script adds the source, and time and hashing are those of the commit."""
    script = (
        "import os, small_one\n"
        + PATH
        + PAGE.format("small_one.__file__.rpartition('site-packages')[2] + os.environ['SOURCE_DATE_EPOCH']")
    )
    at = inputs(make_inputs, PATH + script)
    dists = at.dists()
    context = at.context(dists=dists)
    built = stage(at).make(context)
    assert built.file is not None
    first = built.file.path.read_bytes()
    assert stage(at).find(context) == built

    built.file.path.unlink()
    assert stage(at).find(context) is None
    again = stage(at).make(context)
    assert again.file == built.file
    assert again.file is not None
    assert again.file.path.read_bytes() == first
    assert tree_of(again.file.path)[1] == 1


@pytest.mark.parametrize(
    ("script", "more", "kind", "said"),
    [
        ("print('no such reference')\nsys.exit(1)\n", {}, BuildFailed, "no such reference"),
        ("", {}, BuildFailed, "no index.html"),
        (
            PATH + "import extra_one\n" + PAGE.format("''"),
            ONLY_HERE,
            CheckFailed,
            "extra_one from extra_one/__init__.py",
        ),
        (PAGE.format("''") + "(out / 'link').symlink_to('/etc')\n", {}, BuildFailed, "link is a symbolic link"),
    ],
    ids=["fails", "no-index", "only-in-tree", "link"],
)
def test_documentation_that_stops_the_release(
    make_inputs: MakeInputs, script: str, more: dict[str, str], kind: type[UnmoorError], said: str
) -> None:
    """One clear message, and nothing is recorded; as an advisory it is a warning."""
    at = inputs(make_inputs, script, more)
    context = at.context(dists=at.dists())

    with pytest.raises(kind, match=said):
        stage(at).make(context)
    assert stage(at).find(context) is None
    advisory = stage(at, policy="advisory").make(context)
    assert advisory.file is None
    assert said in at.warned[0]


@pytest.mark.parametrize(
    ("script", "kind", "said"),
    [
        (
            "print('WARNING: failed to reach any of the inventories with the following issues:')\nsys.exit(1)\n",
            Unknown,
            "could not reach another site",
        ),
        ("import os\nos.kill(os.getpid(), 9)\n", ToolMissing, "was killed by"),
    ],
    ids=["unreached", "killed"],
)
def test_what_is_not_the_fault_of_the_documentation(
    make_inputs: MakeInputs, script: str, kind: type[UnmoorError], said: str
) -> None:
    """Another site that Sphinx cannot reach, or a killed builder, says nothing about the pages, whatever the policy."""
    at = inputs(make_inputs, script)
    context = at.context(dists=at.dists())

    for policy in ("required", "advisory"):
        with pytest.raises(kind, match=said):
            stage(at, policy=policy).make(context)
    assert stage(at).find(context) is None


@pytest.mark.parametrize(
    ("settings", "kind", "said"),
    [
        ({"requirements": "other"}, ConfigError, "neither an extra nor a dependency group named 'other'"),
        ({"builder": "sphinx"}, ConfigError, "docs has no conf.py"),
        ({"builder": "mkdocs"}, ConfigError, "docs has no mkdocs.yml"),
        ({"source": "gone"}, ConfigError, "gone does not exist"),
        ({"builder": "no-such-builder {out}"}, ToolMissing, "no-such-builder"),
    ],
    ids=["needs", "sphinx", "mkdocs", "source", "program"],
)
def test_settings_that_do_not_fit(
    make_inputs: MakeInputs, settings: dict[str, str], kind: type[UnmoorError], said: str
) -> None:
    """The message names the setting, whatever the policy."""
    at = inputs(make_inputs, "")

    with pytest.raises(kind, match=said):
        stage(at, policy="advisory", **settings).make(at.context(dists=at.dists()))


def test_a_complete_manifest_without_documentation(make_inputs: MakeInputs) -> None:
    """It never changes: required documentation is a conflict, an advisory one is left out."""
    at = inputs(make_inputs, "")
    dists = at.dists()
    proof = Proof(
        name=manifests.PROOF,
        subjects=tuple(Subject(name=file.name, sha256=file.sha256) for file in dists.files),
        results=(Result(name="x", verdict=Verdict.PASSED),),
    )
    at.folder.write_manifest(Manifest.of(at.release, dists, (proof,)))
    context = at.context(dists=dists)

    class Forge:
        """A forge without releases."""

        def public(self, _tag: str) -> None:
            """None."""

    with pytest.raises(Conflict, match="lists no documentation"):
        replace(stage(at), forge=cast("Any", Forge())).find(context)
    left = stage(at, policy="advisory").find(context)
    assert isinstance(left, BuiltDocs)
    assert left.file is None
    unvouched = replace(dists, vouched=False)
    assert stage(at).find(at.context(dists=unvouched)) == BuiltDocs(
        why_not="the files are public already, and not vouched for"
    )
