"""Every advice about rules, flavors, images and labels leads to a plan."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from tests.support.advice_walks import Place, Walk, walk

from unmoor.adapters.process.shell import LocalShell
from unmoor.images.tags import TagContext, plan, with_event

GOOD = {"rules": "type=sha", "flavor": "", "images": "ghcr.io/harbour/lighthouse", "labels": ""}
MAIN = TagContext(
    ref="refs/heads/main",
    sha="0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
    event="push",
    now=datetime(2026, 1, 31, 12, tzinfo=UTC),
)
Edit = Callable[[str, str], str]
"""Return the line that the advice (the second text) makes of a line."""


def example(text: str) -> str:
    """The example in "write it as EXAMPLE": exactly what is to be written."""
    return re.sub(r"^write it as |, or .*$", "", text)


def instead_of(wrong: str) -> Edit:
    """Write the example in place of what is wrong."""
    return lambda line, text: line.replace(wrong, example(text))


def by(wrong: str, right: str) -> Edit:
    """Do what the words say, which name no text to paste."""
    return lambda line, _: line.replace(wrong, right)


def one_of(wrong: str, at: int = 0) -> Edit:
    """Write one of the words that "use one of …" lists."""
    return lambda line, text: line.replace(wrong, text.removeprefix("use one of ").split(", ")[at])


LONG = "x" * 200
ROWS: dict[str, tuple[str, str, Edit]] = {
    "write-it-as priority": ("rules", "type=sha,priority=high", instead_of("priority=high")),
    "write-it-as group": ("rules", "type=match,pattern=v(.*),group=one", instead_of("group=one")),
    "write-it-as format": ("rules", "type=raw,value={{date}}", instead_of("{{date}}")),
    "write-it-as two formats": ("rules", "type=raw,value={{date 'YYYY' 'MM'}}", instead_of("{{date 'YYYY' 'MM'}}")),
    "write-it-as no quotes": ("rules", "type=raw,value={{date YYYY}}", instead_of("{{date YYYY}}")),
    "write-it-as a zone": ("rules", "type=raw,value={{date 'YYYY' tz=UTC}}", instead_of("tz=UTC")),
    "write-it-as no argument": ("rules", "type=raw,value=x{{sha 'x'}}", instead_of("{{sha 'x'}}")),
    "write-it-as onlatest": ("flavor", "onlatest=true", instead_of("onlatest=true")),
    "write-it-as enable": ("rules", "type=sha,enable=maybe", instead_of("enable=maybe")),
    "write-it-as a label": ("labels", "Somebody", instead_of("Somebody")),
    "use-one-of types": ("rules", "type=hash", one_of("hash", 2)),
    "use-one-of events": ("rules", "type=ref,event=comet", one_of("comet")),
    "use-one-of formats": ("rules", "type=sha,format=tiny", one_of("tiny")),
    "use-one-of names": ("rules", "type=raw,value=x{{shah}}", by("shah", "sha")),
    "use-one-of values": ("flavor", "latest=maybe", one_of("maybe")),
    "use-one-of keys of a flavor": ("flavor", "newest=true", one_of("newest")),
    "use-one-of keys of an image": ("images", "title=ghcr.io/a/b", one_of("title")),
    "quote-field": ("rules", 'type=raw,value=a"b"', by('value=a"b"', '"value=ab"')),
    "close-quote": ("rules", 'type=raw,"value=ab', lambda line, _: f'{line}"'),
    "remove-second-equals": ("flavor", "prefix=a=b", by("=b", "")),
    "simplify-pattern": ("rules", r"type=match,pattern=(?<=v)(.*)(?R)", by(r"(?<=v)(.*)(?R)", "(.*)")),
    "correct-pattern": ("rules", "type=match,pattern=v([z-a])", by("z-a", "a-z")),
    "use-valid-flags": ("rules", "type=match,pattern=/v(.*)/gz", by("gz", "g")),
    "begin-tag-with-letter": ("rules", "type=raw,value=.x", by("=.x", "=x")),
    "add-tag-rule": ("rules", "type=ref,event=tag", lambda line, _: f"{line}\ntype=ref,event=branch"),
    "add-to-rule": ("rules", "type=semver", lambda line, text: line + text[len("add ") : -len(" to it")]),
    "shorten-tag": ("rules", f"type=raw,value={LONG}", by(LONG, LONG[:100])),
    "use-iana-zone": (
        "rules",
        "type=raw,value={{date 'YYYY' tz='Europe/Atlantis'}}",
        lambda line, text: line.replace("tz='Europe/Atlantis'", text.partition(": ")[2]),
    ),
    "write-expression": ("rules", "type=raw,value=x{{#if sha}}", by("{{#if sha}}", "{{sha}}")),
    "close-expression": ("rules", "type=raw,value={{sha", lambda line, text: line + text.removeprefix("end it with ")),
    "use-time-zone-only": (
        "rules",
        "type=raw,value={{date 'YYYY' zone='UTC'}}",
        lambda line, text: line.replace("zone='UTC'", text.removeprefix("use ").partition(",")[0]),
    ),
    "run-in-checkout": (
        "rules",
        "type=raw,value={{commit_date 'YYYY'}}",
        lambda line, text: line.replace("{{commit_date 'YYYY'}}", text.partition("use ")[2]),
    ),
    "correct-rule": ("rules", f"type=raw,value=x,enable={'true' * 2000}", by("true" * 2000, "true")),
    "write-image-name": ("images", "GHCR.IO/A b", lambda _, text: text.removeprefix("write it as ").partition(":")[0]),
    "write-image-name empty": ("images", "name=", lambda _, text: text.removeprefix("write it as ").partition(":")[0]),
}


def of_row(kind: str, line: str, edit: Edit, *, then: str) -> Walk:
    """Plan tags with one line that is wrong, and correct that line."""

    def follow(place: Place, text: str) -> None:
        place.kept[kind] = edit(place.kept[kind], text)

    return Walk(
        begin=lambda place: place.kept.update(GOOD | {kind: line}),
        act=lambda place: plan(
            place.kept["rules"].splitlines(),
            place.kept["flavor"].splitlines(),
            place.kept["images"].splitlines(),
            MAIN,
            labels=place.kept["labels"].splitlines(),
        ),
        follow=follow,
        then=then,
    )


def _plan_event(place: Place) -> object:
    return with_event(MAIN, place.kept["event"])


UNMATCHED = frozenset({"write-it-as group", "simplify-pattern", "correct-pattern", "use-valid-flags", "add-to-rule"})
"""Rules that are valid in the end, and give no tag for a branch."""
WALKS = {
    name: of_row(
        *row, then="add-tag-rule" if name in UNMATCHED else "add-to-rule" if name == "use-one-of types" else ""
    )
    for name, row in ROWS.items()
} | {
    "pass-event-file": Walk(
        begin=lambda place: place.kept.update(event=["no object"]),
        act=_plan_event,
        follow=lambda place, _: place.kept.update(event={"repository": {"default_branch": "main"}}),
    ),
}


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path) -> None:
    """The line that the advice writes is accepted, or ends in another error."""
    walk(name, WALKS, Place(folder=tmp_path, shell=cast("LocalShell", None)))
