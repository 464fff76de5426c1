"""The part ``hooks``: one entry more, and the others as they are."""

from __future__ import annotations

import pytest
from tests.support.proposals import FILES, applied, proposal

from unmoor.errors import Refused
from unmoor.scaffold.hooks_part import FILE

ENTRY = "- repo: https://github.com/unmoor/unmoor\n{0}  rev: v1.2.3\n{0}  hooks:\n{0}    - id: unmoor-check\n"
OTHER = "- repo: https://example.org/x\n{0}  rev: v1\n{0}  hooks:\n{0}    - id: x # ours\n"


@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("repos:\n  " + OTHER.format("  "), "repos:\n  " + OTHER.format("  ") + "  " + ENTRY.format("  ")),
        ("repos:\n" + OTHER.format(""), "repos:\n" + OTHER.format("") + ENTRY.format("")),
        (
            "repos:\n" + OTHER.format("") + "\n# about CI\nci:\n  skip: [x]\n",
            "repos:\n" + OTHER.format("") + ENTRY.format("") + "\n# about CI\nci:\n  skip: [x]\n",
        ),
        ("repos:\n" + OTHER.format("").rstrip(), "repos:\n" + OTHER.format("") + ENTRY.format("")),
    ],
    ids=["indented", "plain", "keys after it", "no last line end"],
)
def test_the_entry_comes_last(before: str, after: str, ends: str) -> None:
    """With the indentation and the line ends of the others; once."""
    files = {**FILES, FILE: before.replace("\n", ends)}
    made = applied(files, proposal(files, "hooks"))
    assert made[FILE] == after.replace("\n", ends)
    assert proposal(made, "hooks").changes == ()


def test_a_project_without_hooks_gets_the_file() -> None:
    """It has the one entry."""
    made = applied(FILES, proposal(FILES, "hooks"))
    assert made[FILE] == "repos:\n  " + ENTRY.format("  ")
    assert proposal(made, "hooks").changes == ()


@pytest.mark.parametrize(
    "text", ["repos: []\n", "repos: [{repo: local, hooks: [{id: a}]}]\n", "ci: {}\n"], ids=["empty", "flow", "none"]
)
def test_what_would_change_more_is_left_to_a_person(text: str) -> None:
    """The message has the lines to write."""
    with pytest.raises(Refused, match=r"(?s)cannot be added.*id: unmoor-check"):
        proposal({**FILES, FILE: text}, "hooks")
