"""Writing a file anew keeps the jobs of others byte for byte, and newer pins."""

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
def test_what_is_ours_is_written_anew(text: str) -> None:
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


def test_an_anchor_of_our_part_is_refused() -> None:
    """A job of others that uses an anchor of ours would break, so nothing is written."""
    text = TEXT.replace("env:\n  TAG", "env: &all\n  TAG") + "\n  docs:\n    env: *all\n    steps: []\n"
    with pytest.raises(Refused, match="'docs' uses an anchor"):
        write(text)
