"""Writing a file again keeps the jobs of others byte for byte, and newer pins."""

from __future__ import annotations

import pytest
from tests.workflows.test_yaml_text import TEXT, WORKFLOW

from unmoor.errors import Refused
from unmoor.workflows.merging import merged
from unmoor.workflows.pins import PINS
from unmoor.workflows.reading import read_file
from unmoor.workflows.yaml_text import text_of

OURS = {"build", "tests", "publish", "wheels-linux"}
CHECKOUT = PINS["actions/checkout"]
PIN = f"actions/checkout@{CHECKOUT.commit} # {CHECKOUT.version}"
NEWER = "actions/checkout@0123456789abcdef0123456789abcdef01234567 # v7.4.0"
OTHER_JOB = """\
  # A job of ours:   with odd    spacing
  docs:
      runs-on:   ubuntu-22.04  # pinned on purpose
      steps: [ {run: "make docs"} ]
"""


def write(text: str) -> str:
    """Write the workflow over a text."""
    expected = read_file("demo.yml", text_of(WORKFLOW).encode())
    return merged(expected, read_file("demo.yml", text.encode()), is_own=OURS.__contains__)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.replace("contents: read", "contents: write"),
        TEXT.replace("    environment: pypi\n", ""),
        TEXT.replace("\n  tests:\n", "\n  wheels-linux:\n    steps: []\n\n  tests:\n"),
        TEXT.replace("permissions: {}\n\nconc", "permissions: write-all\n\nconc"),
        TEXT.replace(PIN, "actions/checkout@0123456789abcdef0123456789abcdef01234567 # v6.0.0"),
        TEXT.replace(PIN, "actions/checkout@v9"),
    ],
    ids=["same", "permission", "environment", "former job", "top", "older pin", "tag"],
)
def test_what_is_ours_is_written_again(text: str) -> None:
    """Whatever was changed in our part becomes as it should be."""
    assert write(text) == TEXT


@pytest.mark.parametrize("before", ["  tests:\n", "  # Nothing of this\n", "  build:\n", ""])
def test_jobs_of_others_stay_byte_for_byte(before: str) -> None:
    """A job of others keeps its lines and its place; writing again changes nothing."""
    block = OTHER_JOB if before == "  build:\n" else f"{OTHER_JOB}\n" if before else f"\n{OTHER_JOB}"
    text = TEXT.replace(f"{before}", f"{block}{before}", 1) if before else TEXT + block
    again = write(text)
    assert OTHER_JOB in again
    ids = [job.id for job in read_file("demo.yml", again.encode()).jobs]
    assert ids == [job.id for job in read_file("demo.yml", text.encode()).jobs]
    assert write(again) == again


def test_newer_pins_stay() -> None:
    """What a bot has raised is not lowered, in our jobs and in those of others."""
    text = TEXT.replace(PIN, NEWER)
    assert write(text) == text
    assert write(TEXT.replace(PIN, "actions/checkout@0123456789abcdef0123456789abcdef01234567 # v9")) != TEXT


FLOW = "# The end.\njobs: {docs: {runs-on: x, steps: []}}\n"
CANNOT_STAY = {
    "an anchor of ours": (
        TEXT.replace("env:\n  TAG", "env: &all\n  TAG") + "\n  docs:\n    env: *all\n    steps: []\n",
        "'docs' uses an anchor",
    ),
    "an anchor of our job": (TEXT.replace("  tests:\n", "  tests: &t\n") + "\n  docs: *t\n", "'docs' uses an anchor"),
    "flow style": (f"on: push\n{FLOW}", "'docs' has no lines of its own"),
    "flow style in lines": ("on: push\njobs: {\n  docs: {steps: []},\n  lint: {}\n}\n", "'docs' has no lines"),
    "deeper": ("on: push\njobs:\n    docs:\n        steps: []\n", "'docs' is indented by 4 spaces"),
    "less deep": ("on: push\njobs:\n docs:\n  steps: []\n", "'docs' is indented by 1 spaces"),
    "an end of the document": ("jobs:\n  docs:\n    steps: []\n...\n# more\n", "'docs' cannot stay"),
}


@pytest.mark.parametrize("name", CANNOT_STAY)
def test_a_job_that_cannot_stay_is_refused(name: str) -> None:
    """A job of others that would break or change is named with its line, so that nothing is written."""
    text, what = CANNOT_STAY[name]
    with pytest.raises(Refused, match=what) as raised:
        write(text)
    assert raised.value.where.startswith("demo.yml:")
    assert raised.value.next_step


SHARED = "\n  docs:\n    <<: &shared\n      runs-on: x\n    steps: []\n\n  lint:\n    <<: *shared\n    steps: []\n"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (TEXT + SHARED, SHARED),
        (
            TEXT.replace(
                "\n  tests:\n",
                f"{OTHER_JOB.replace('docs', 'site')}\n  wheels-linux:\n    steps: []\n{SHARED}\n  tests:\n",
            ),
            SHARED,
        ),
        (f"jobs:\n{OTHER_JOB}name: last\n", OTHER_JOB),
        (f"{TEXT}\n{OTHER_JOB}".rstrip("\n"), OTHER_JOB.rstrip("\n")),
        (f"---\n{TEXT}\n{OTHER_JOB}", OTHER_JOB),
        (TEXT.replace("\njobs:\n", '\n"jobs":\n') + OTHER_JOB.replace("docs:", '"docs":'), '  "docs":\n'),
        (
            TEXT + "\n  docs:\n    steps:\n      - run: |+\n          ls *x\n          # a\n\n\n  lint: {}\n",
            "# a\n\n\n  lint",
        ),
        (TEXT + OTHER_JOB.replace("docs", "Build"), "  Build:\n"),
    ],
    ids=["anchors of their own", "after a former job", "first", "no end", "marker", "quotes", "script", "case"],
)
def test_jobs_of_any_style_stay(text: str, kept: str) -> None:
    """Jobs that share an anchor, unusual scripts and quoted names stay as they are; writing again changes nothing."""
    again = write(text)
    assert kept in again
    assert write(again) == again


@pytest.mark.parametrize("ours", ["\n", "\r\n"])
@pytest.mark.parametrize("theirs", ["\n", "\r\n"])
def test_line_ends_of_each_part_stay(ours: str, theirs: str) -> None:
    """Our lines end as the first one does, and those of others as they do."""
    text = f"{TEXT}\n".replace("\n", ours) + OTHER_JOB.replace("\n", theirs)
    assert write(text) == text
