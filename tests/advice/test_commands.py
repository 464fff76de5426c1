"""Every advice about long notes and patterns, and about what a command line leaves open, leads on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.advice_walks import Place, Walk, keep, walk
from tests.support.sample_values import sample_release
from tests.support.shells import shell_for_tests

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.shell import LocalShell
from unmoor.ci.github_actions import RunContext
from unmoor.cli.app import cli
from unmoor.cli.resolve_project import open_world, resolve_project
from unmoor.images.tags import TagContext, patterns, plan, with_event
from unmoor.notes import NotesSettings, fragments, notes_for, rst
from unmoor.project.locate import ConfigSources
from unmoor.util.values import replace

PROJECT = "[project]\nname = 'demo'\nversion = '1.0'\n"


@pytest.fixture(scope="module")
def shell() -> Iterator[LocalShell]:
    """The real shell."""
    with shell_for_tests() as shell:
        yield shell


def _match(place: Place) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patterns, "SECONDS", 0.05)
        context = replace(CONTEXT, ref=f"refs/tags/{'a' * 200}!", event="push")
        return plan([f"type=match,pattern={place.kept['pattern']}"], (), ("ghcr.io/a/b",), context)


def _convert(place: Place) -> object:
    return rst.to_markdown(place.kept["text"], place.shell, where="CHANGELOG.rst")


def _notes(place: Place) -> object:
    release = replace(sample_release("acme/demo", "demo"), commit=place.repo.git("rev-parse", "HEAD"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fragments, "LIMIT", 200)
        return notes_for(place.repo.path, release, place.git, place.shell, NotesSettings())


def _fragment(text: str) -> Callable[..., None]:
    files = {"towncrier.toml": '[tool.towncrier]\ndirectory = "c"\nfilename = "CHANGELOG.md"\n', "c/1.feature.md": text}
    return lambda place, *_: (
        place.repo.commit(files) and None if "repo" in place.kept else place.new_repo(files) and None
    )


def _event(place: Place) -> object:
    return with_event(place.kept["context"], place.kept["event"])


def _pull(place: Place, text: str) -> None:
    """Name the pull request with the options that the advice writes."""
    ref, event = re.findall(r"--(?:ref|event-name) (\S+)", text)
    place.kept["context"] = replace(place.kept["context"], ref=ref, event=event)


def _world(place: Place) -> object:
    git = GitCheckout(place.repo.path, place.shell)
    project = resolve_project(git, git.head(), ConfigSources(environ={}), RunContext())
    return open_world(None, project, repository=project.repository)


def _name(place: Place, text: str) -> None:
    found = re.search(r'set (repository = "owner/name") in (\[tool\.unmoor\])', text)
    assert found, text
    place.repo.commit({"pyproject.toml": f"{PROJECT}{found[2]}\n{found[1]}\n"})


def _clean(place: Place) -> object:
    """Run ``unmoor clean images`` in a world whose registry does not run."""
    words = [*place.kept["args"], "--directory", str(place.repo.path), "--world", str(place.folder / "world.toml")]
    return cli.main(words, standalone_mode=False)


def _without_images(place: Place) -> None:
    place.new_repo({"pyproject.toml": PROJECT})
    place.kept["args"] = ["clean", "images"]
    tables = {"index": "upload simple json page", "forge": "api uploads site"}
    text = 'name = "mine"\n' + "".join(
        f"[{name}]\n" + "".join(f'{key} = "http://127.0.0.1:9/{key}/"\n' for key in keys.split())
        for name, keys in tables.items()
    )
    text += 'repository = "acme/demo"\n[[registry]]\nhost = "ghcr.io"\naddress = "http://127.0.0.1:9"\n'
    (place.folder / "world.toml").write_text(text)


def _named(place: Place, text: str) -> None:
    place.kept["args"] = text.partition("unmoor ")[2].split()


DEEP = "\n\n".join(" " * (2 * depth) + "- x" for depth in range(400))
CONTEXT = TagContext(
    ref="refs/heads/main", sha="0" * 40, event="pull_request_target", now=datetime(2026, 1, 31, tzinfo=UTC)
)
WALKS: dict[str, Walk] = {
    "avoid-nested-repetition": Walk(begin=keep(pattern=r"^(?:(a|aa)+\1)+$"), act=_match, follow=keep(pattern="a{9}")),
    "check-docutils": Walk(begin=keep(text=DEEP), act=_convert, follow=keep(text="- x\n")),
    "shorten-fragment": Walk(begin=_fragment("New. " * 200), act=_notes, follow=_fragment("New.")),
    "name-pull-request": Walk(begin=keep(context=CONTEXT, event={}), act=_event, follow=_pull),
    "name-repository": Walk(begin=lambda place: place.new_repo({"pyproject.toml": PROJECT}), act=_world, follow=_name),
    "name-image-to-clean": Walk(begin=_without_images, act=_clean, follow=_named, then="check-network"),
}


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path, shell: LocalShell) -> None:
    """With the text, the setting or the option that the advice names, the same command works."""
    walk(name, WALKS, Place(folder=tmp_path, shell=shell))
