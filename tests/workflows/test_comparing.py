"""What differs from the written workflow by its meaning, and which pins pass."""

from __future__ import annotations

import json

import pytest
from tests.workflows.test_yaml_text import TEXT, WORKFLOW

from unmoor.workflows.comparing import WorkflowDifference, compare, pin_fault
from unmoor.workflows.pins import PINS, Pin
from unmoor.workflows.reading import read_file
from unmoor.workflows.yaml_text import text_of

OURS = {"build", "tests", "publish", "wheels-linux"}
CHECKOUT = PINS["actions/checkout"]
PIN = f"actions/checkout@{CHECKOUT.commit} # {CHECKOUT.version}"
OTHER = "0123456789abcdef0123456789abcdef01234567"


def differences(text: str, *, locked: str = "") -> tuple[WorkflowDifference, ...]:
    """Compare a text with the written one."""
    expected = read_file("demo.yml", text_of(WORKFLOW).encode())
    found = read_file("demo.yml", text.encode())
    return compare(expected, found, is_own=OURS.__contains__, locked=locked.__eq__)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("# Nothing of this\n  # can be taken back.\n", "# Changed by a person.\n"),
        ("name: 'Publish: for good'", 'name: "Publish: for good"'),
        ("needs: [build, tests]", "needs:\n      - build\n      - tests"),
        ("    needs: build\n", "    needs: [build]\n"),
        ("  workflow_dispatch:\n", "  workflow_dispatch: {}\n"),
        ("    name: Build\n    runs-on: ubuntu-latest\n", "    runs-on: ubuntu-latest\n    name: Build\n"),
        ("  tests:\n", "  docs:\n    runs-on: x\n    steps: []\n\n  tests:\n"),
        ("\n", "\r\n"),
        (PIN, f"actions/checkout@{OTHER} # v7.0.2"),
        (PIN, f"actions/checkout@{OTHER} # v7.1"),
        (PIN, f"actions/checkout@{CHECKOUT.commit}"),
        (PIN, f"actions/checkout@{CHECKOUT.commit} # v6"),
    ],
    ids=[
        "same",
        "comment",
        "quotes",
        "style",
        "list",
        "empty",
        "order",
        "own job",
        "crlf",
        "patch",
        "minor",
        "no comment",
        "wrong",
    ],
)
def test_what_means_the_same_passes(old: str, new: str) -> None:
    """Comments, style and order do not matter, nor do jobs of others and newer pins."""
    assert differences(TEXT.replace(old, new) if old else TEXT) == ()


CHANGED = {
    "a permission": ("contents: read #", "contents: write #", "jobs.build.permissions.contents", "'write'"),
    "permissions of all": ("permissions: {}\n\nconc", "permissions: write-all\n\nconc", "permissions", "'write-all'"),
    "a trigger more": (
        "  workflow_dispatch:\n",
        "  workflow_dispatch:\n  pull_request:\n",
        "on.pull_request",
        "not be",
    ),
    "a tag pattern": ("- v[0-9]*", "- v*", "on.push.tags[1]", "should be 'v[0-9]*'"),
    "another command": ("unmoor release", "unmoor release --skip testpypi", "jobs.build.steps[2].run", "should be"),
    "a step more": ("      - run: echo 1\n", "      - run: echo 1\n      - run: curl x\n", "steps[2]", "not be there"),
    "a step less": ("      - run: echo 1\n", "      - name: x\n", "jobs.publish.steps[1].run", "missing"),
    "no environment": ("    environment: pypi\n", "", "jobs.publish.environment", "missing"),
    "a condition": ("    environment: pypi\n", "    environment: pypi\n    if: true\n", "jobs.publish.if", "not be"),
    "another need": ("needs: [build, tests]", "needs: build", "jobs.publish.needs", "a list of build, tests"),
    "a job less": ("\n  publish:", "\n  other:", "jobs.publish", "missing"),
    "a former job": ("\n  tests:\n", "\n  wheels-linux:\n    steps: []\n\n  tests:\n", "jobs.wheels-linux", "not be"),
    "another group": ("queue: max", "queue: single", "concurrency.queue", "'single'"),
    "a tag": (PIN, "actions/checkout@v7", "jobs.build.steps[1].uses", "not a commit"),
    "a branch": (PIN, "actions/checkout@main", "jobs.build.steps[1].uses", "not a commit"),
    "an older pin": (PIN, f"actions/checkout@{OTHER} # v6.1.0", "jobs.build.steps[1].uses", "older than v7.0.1"),
    "a wrong commit": (PIN, f"actions/checkout@{OTHER} # v7.0.1", "jobs.build.steps[1].uses", "not the commit of"),
    "no version": (PIN, f"actions/checkout@{OTHER}", "jobs.build.steps[1].uses", "no comment says which version"),
    "another action": (
        PIN,
        f"actions/check0ut@{OTHER} # v9",
        "jobs.build.steps[1].uses",
        "should be 'actions/checkout",
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_means_something_else_is_named(name: str) -> None:
    """Each difference has its line, its place, what is there and what should be."""
    old, new, place, what = CHANGED[name]
    text = TEXT.replace(old, new, 1)
    assert text != TEXT
    (found,) = [each for each in differences(text) if each.place.endswith(place)]
    assert what in found.what
    assert found.level == "error"
    assert 1 <= found.line <= text.count("\n")


@pytest.mark.parametrize(
    ("expected", "found", "what"),
    [
        ("a\nb\n", "a\nc\n", "line 2 is 'c', and should be 'b'"),
        ("a\nb", "a", "line 2 is missing, and should be 'b'"),
        ("a", "a\nb", "line 2 is 'b', and should not be there"),
        ("write", "read", "it is 'read', and should be 'write'"),
        (f"{'x' * 200}1", f"{'x' * 200}2", f"it is '…{'x' * 60}2', and should be '…{'x' * 60}1'"),
    ],
)
def test_a_long_text_is_shown_where_it_differs(expected: str, found: str, what: str) -> None:
    """A person sees the difference, not the beginning that both have."""
    texts = (read_file("a.yml", json.dumps({"run": text}).encode()) for text in (expected, found))
    (difference,) = compare(*texts, is_own=OURS.__contains__, locked=lambda _: False)
    assert difference.what == what


def test_the_line_is_that_of_the_value() -> None:
    """An editor jumps to the line of what is wrong."""
    text = TEXT.replace("queue: max", "queue: single")
    (found,) = differences(text)
    assert text.splitlines()[found.line - 1].strip() == "queue: single"


def test_a_tag_that_the_lock_names_passes() -> None:
    """With the lock of the repository, GitHub runs the locked commit of a tag."""
    text = TEXT.replace(PIN, "actions/checkout@v7")
    assert differences(text, locked="actions/checkout@v7") == ()
    assert len(differences(text, locked="actions/checkout@v6")) == 1


@pytest.mark.parametrize(
    ("reference", "comment", "level"),
    [
        (CHECKOUT.commit, "", None),
        (OTHER, "v7.0.10", None),
        (OTHER, "v7.2 from a bot", None),
        (OTHER, "tag=v7.1.0", None),
        (OTHER, "v8.0.0", "warning"),
        (OTHER, "v10", "warning"),
        (OTHER, "v7.0.0", "error"),
        (OTHER, "v6", "error"),
        (OTHER, "v7.0.1", "error"),
        (OTHER, "main", "error"),
        (OTHER, "", "error"),
        (OTHER[:39], "v9", "error"),
        (OTHER.upper(), "v9", "error"),
        ("v7.0.1", "", "error"),
    ],
)
def test_which_pins_pass(reference: str, comment: str, level: str | None) -> None:
    """The same and newer pins pass, another major version warns, and what names no commit or no version fails."""
    fault = pin_fault(Pin(CHECKOUT.commit, "v7.0.1"), reference, comment)
    assert (fault and fault.level) == level
