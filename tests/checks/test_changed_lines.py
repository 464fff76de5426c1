"""git's diffs without context, read and compared with what git itself says."""

from __future__ import annotations

import contextlib
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmoor.checks.changed_lines import read_diff

HEAD = "diff --git a/x.py b/x.py\nindex 422c2b7..e134ca8 100644\n--- a/x.py\n+++ b/x.py\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        (HEAD + "@@ -2 +2,2 @@ a\n-b\n+++ b/y.py\n+c\n", {"x.py": (range(2, 4),)}),
        (HEAD + "@@ -1,2 +0,0 @@\n-a\n--- b/y.py\n", {"x.py": ()}),
        (HEAD + "@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n", {"x.py": (range(1, 2),)}),
        (HEAD + "@@ -3,0 +4 @@\n+a\n@@ -9 +11 @@\n-b\n+c\n", {"x.py": (range(4, 5), range(11, 12))}),
        (HEAD.replace("+++ b/x.py", "+++ /dev/null") + "@@ -1 +0,0 @@\n-a\n", {}),
        (
            HEAD.replace("b/x.py\n", "b/x.py\n").replace("+++ b/x.py", '+++ "b/\\303\\261 \\"\\t.py"\t'),
            {'ñ "\t.py': ()},
        ),
        ("diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", {}),
        ("diff --git a/x b/x\nBinary files a/x and b/x differ\n", {}),
    ],
    ids=["empty", "added", "removed", "no-end", "two", "gone", "quoted", "mode", "binary"],
)
def test_the_lines_are_those_that_are_new(text: str, expected: dict[str, tuple[range, ...]]) -> None:
    """A line that looks like the name of a file is counted as a line."""
    assert read_diff(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (HEAD + "@@ -1 +1,3 @@\n-a\n+b\n", "missing"),
        (HEAD + "@@ -1 +1 @@\n-a", "missing at its end"),
        (HEAD.replace("+++ b/", "+++ "), "not with b/"),
    ],
    ids=["cut", "end", "prefix"],
)
def test_what_is_cut_short_is_refused(text: str, why: str) -> None:
    """A diff that is not whole could hide lines."""
    with pytest.raises(ValueError, match=why):
        read_diff(text)


LINES = st.lists(
    st.sampled_from(["", "a", "-- a/x", "++ b/x", "@@ -1 +1 @@", "diff --git a/x b/x", "é\x0c\x85", "\\ x"])
)


@settings(max_examples=40, deadline=None)
@given(before=LINES, after=LINES, end=st.booleans())
def test_git_says_the_same(
    tmp_path_factory: pytest.TempPathFactory, before: list[str], after: list[str], *, end: bool
) -> None:
    """Whatever the lines look like, those that git adds are found, and no others."""
    folder = tmp_path_factory.mktemp("diff")
    texts = ["\n".join(lines) + ("\n" if end and lines else "") for lines in (before, after)]
    for name, text in zip("ab", texts, strict=True):
        (folder / name).mkdir()
        (folder / name / "x.py").write_text(text, "utf-8", newline="")
    command = ["git", "diff", "--no-index", "--unified=0", "--no-color", "--no-prefix", "a", "b"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    found = read_diff(ran.stdout.decode(errors="surrogateescape"))
    added = {number for ranges in found.values() for each in ranges for number in each}
    old, new = ([f"{line}\n" for line in text.split("\n")] for text in texts)
    old[-1], new[-1] = old[-1].rstrip("\n"), new[-1].rstrip("\n")
    rest = iter(old)
    kept = [line for number, line in enumerate(new, 1) if number not in added and line]
    assert all(line in rest for line in kept)
    command[3:3] = ["--numstat"]
    counts = subprocess.run(command, cwd=folder, capture_output=True, check=False, text=True).stdout
    assert len(added) == (int(counts.split("\t")[0]) if counts else 0)


@given(st.text(alphabet='+-@ ,0123456789abdgit/\\"\n\t', max_size=300))
def test_no_text_is_too_odd(text: str) -> None:
    """Anything is read, or refused with a reason."""
    with contextlib.suppress(ValueError):
        assert all(each.start >= 0 for ranges in read_diff(text).values() for each in ranges)
