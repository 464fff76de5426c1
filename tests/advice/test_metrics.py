"""Every advice about records leads to a store that can be read, or to figures that can be kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from tests.support.advice_walks import Place, Walk, also, keep, walk

from unmoor.adapters.process.shell import LocalShell
from unmoor.cli.metrics_record import run
from unmoor.cli.run_options import TargetOptions
from unmoor.metrics.store.database import build

JUNIT = '<testsuite name="unit" timestamp="2026-11-29T12:00:00Z"><testcase/></testsuite>'
COVERAGE = f'{{"kind":"coverage","commit":"{"a" * 40}","at":"2026-11-01T00:00:00Z","covered":1,"lines":2}}\n'


def _project(place: Place) -> None:
    place.new_repo({"pyproject.toml": '[project]\nname = "demo"\nversion = "1"\n'})
    place.kept.setdefault("store", "folder:kept")
    (place.repo.path / "junit.xml").write_text(JUNIT)


def _record(place: Place) -> None:
    path = place.repo.path / place.kept.get("file", "junit.xml")
    commit = place.kept.get("commit")
    store = place.kept["store"]
    run(
        TargetOptions(folder=place.repo.path),
        [path],
        commit=commit,
        imports=False,
        store=store,
        dry_run=False,
        as_json=False,
    )


def _keep_line(name: str, *lines: str) -> Callable[..., None]:
    def write(place: Place, *_: str) -> None:
        path = place.repo.path / "kept" / "tests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(lines))

    return write


def _move_out(place: Place, _advice: str) -> None:
    (place.repo.path / "kept" / "tests" / "notes.txt").rename(place.repo.path / "notes.txt")


def _file(name: str, text: str) -> Callable[..., None]:
    def write(place: Place, *_: str) -> None:
        (place.repo.path / name).write_text(text)
        place.kept["file"] = name

    return write


def _store(place: Place, advice: str) -> None:
    named = re.search(r"folder:\w+", advice)
    assert named is not None
    place.kept["store"] = named[0]


def _commit(place: Place, advice: str) -> None:
    assert "--commit ID" in advice
    place.kept["commit"] = place.repo.git("rev-parse", "HEAD")


def _build(place: Place) -> None:
    build((), place.folder / place.kept["database"]).close()


WALKS: dict[str, Walk] = {
    "repair-store": Walk(
        begin=also(_project, _keep_line("2026-11.jsonl", '{"kind":"tests","com')),
        act=_record,
        follow=_keep_line("2026-11.jsonl"),
    ),
    "remove-from-store": Walk(begin=also(_project, _keep_line("notes.txt", "mine")), act=_record, follow=_move_out),
    "name-known-files": Walk(
        begin=also(_project, _file("notes.txt", "mine")), act=_record, follow=_file("lines.jsonl", COVERAGE)
    ),
    "name-measured-commit": Walk(begin=also(_project, keep(commit="HEAD")), act=_record, follow=_commit),
    "name-store": Walk(begin=also(keep(store="kept"), _project), act=_record, follow=_store),
    "name-other-database": Walk(
        begin=also(lambda place: (place.folder / "mine").write_text("mine" * 1000) and None, keep(database="mine")),
        act=_build,
        follow=keep(database="other"),
    ),
}


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the line, the file or the option that the advice names, the same figures are kept."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    walk(name, WALKS, Place(folder=tmp_path, shell=cast("LocalShell", None)))
