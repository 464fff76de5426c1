"""The list that jobs install from: versions and hashes, nothing else, and not older than this unmoor."""

from __future__ import annotations

import pytest

from unmoor.workflows.tool_list import PinnedList, lists_of

HASH = f"    --hash=sha256:{'0a' * 32}\n"
LIST = f"click==8.4.0 \\\n{HASH}    # via unmoor\nunmoor==1.2.0 \\\n{HASH}    # via -r requirements.in\n"
PINNED = PinnedList(path=".github/unmoor/requirements.txt", requirement="unmoor==1.2.0")


@pytest.mark.parametrize(
    ("text", "what", "level"),
    [
        (LIST, "", ""),
        (f"# a comment\n{LIST}", "", ""),
        (LIST.replace("unmoor==1.2.0", "unmoor==1.3.1"), "", ""),
        (LIST.replace("unmoor==1.2.0", "Unmoor[all]==1.2.0 ; python_version >= '3.11'"), "", ""),
        (LIST.replace("unmoor==1.2.0", "unmoor==2.0.0"), "another major version", "warning"),
        (LIST.replace("unmoor==1.2.0", "unmoor==1.1.9"), "older than 1.2.0", "error"),
        (LIST.replace("unmoor==1.2.0", "unmoor==1.2.0rc1"), "older than 1.2.0", "error"),
        (LIST.replace("unmoor==1.2.0", "unmoor==x"), "not a version", "error"),
        (LIST.replace("unmoor==", "unm00r=="), "does not list unmoor", "error"),
        (LIST.replace(HASH, "", 1), "no version with hashes", "error"),
        (f"click==8.4.0 \\\n{HASH[:-1]} \\\n{HASH}unmoor==1.2.0\n", "no version with hashes", "error"),
        (f"--index-url https://example.org/simple\n{LIST}", "no version with hashes", "error"),
        (f"--trusted-host example.org\n{LIST}", "no version with hashes", "error"),
        (f"-e .\n{LIST}", "no version with hashes", "error"),
        (f"{LIST}demo @ https://example.org/demo.whl \\\n{HASH}", "no version with hashes", "error"),
        ("", "does not list unmoor", "error"),
        (None, "missing", "error"),
    ],
)
def test_what_is_wrong_with_a_list(text: str | None, what: str, level: str) -> None:
    """Newer versions pass; a list that could install anything else does not."""
    found = list(PINNED.faults(text))
    assert [each.level for each in found][:1] == ([level] if level else [])
    assert all(what in each.what for each in found[:1])


def test_which_lists_there_are() -> None:
    """Only a project that builds wheels needs cibuildwheel. A bot finds the source of a list beside it."""
    assert [each.path for each in lists_of(tool_version="1.2.0", builds_wheels=False)] == [PINNED.path]
    assert len(lists_of(tool_version="1.2.0", builds_wheels=True)) == 2
    assert PINNED.source == ".github/unmoor/requirements.in"
    assert PINNED.made_from(LIST).splitlines()[1:] == ["unmoor==1.2.0"]
    assert PINNED.made_from(LIST.replace("==1.2.0", "==1.3.0")).splitlines()[1:] == ["unmoor==1.3.0"]
    assert list(PINNED.faults(PINNED.text(LIST))) == []
