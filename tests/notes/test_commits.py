"""Release notes from commits."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.support.git_repos import Repo

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.notes import commits, markdown
from unmoor.ports.shell import Shell
from unmoor.products import Release
from unmoor.util.text import clean
from unmoor.util.values import replace


def noted(path: Path, release: Release, shell: Shell, commit: str) -> list[str]:
    """The lines of the notes for a release at a commit."""
    text, _ = commits.list_commits(replace(release, commit=commit), GitCheckout(path, shell))
    return text.split("\n")


def test_commits_since_the_previous_release(tmp_path: Path, release: Release, shell: Shell) -> None:
    """Every subject since the previous tag is a bullet, newest first and without merges."""
    repo = Repo.new(tmp_path / "demo")
    repo.git("tag", "v1.1.0")
    repo.commit({"a": "a"}, "Add a thing (#12)\n\nWith a body that is left out.")
    repo.git("switch", "--quiet", "--create", "side", "v1.1.0")
    repo.commit({"b": "b"}, "Mend another", date=1_700_000_100)
    repo.git("switch", "--quiet", "main")
    repo.git("merge", "--quiet", "--no-ff", "--message", "Merge side", "side", date=1_700_000_200)
    head = repo.git("rev-parse", "HEAD")
    assert noted(repo.path, release, shell, head) == ["- Mend another", "- Add a thing (#12)"]
    assert (
        commits.list_commits(replace(release, commit=head), GitCheckout(repo.path, shell))[1]
        == "the commits since v1.1.0"
    )


def test_many_commits_are_counted(tmp_path: Path, release: Release, shell: Shell) -> None:
    """After 200 bullets, the rest is only counted."""
    repo = Repo.new(tmp_path / "demo")
    repo.git("tag", "v1.1.0")
    tree = repo.git("rev-parse", "HEAD^{tree}")
    commit = repo.git("rev-parse", "HEAD")
    for number in range(commits.SHOWN + 3):
        commit = repo.git("commit-tree", tree, "-p", commit, "-m", f"Change {number}", date=1_700_000_000 + number)
    lines = noted(repo.path, release, shell, commit)
    assert (lines[0], lines[-1], len(lines)) == ("- Change 202", "- and 3 more", commits.SHOWN + 1)


def test_first_release_says_so(tmp_path: Path, release: Release, shell: Shell) -> None:
    """Without a previous release, the notes say so instead of listing the whole history."""
    repo = Repo.new(tmp_path / "demo")
    first = replace(release, previous=None)
    assert commits.list_commits(first, GitCheckout(repo.path, shell)) == ("First release.", "the first release")


NO_NEWS = {
    "Set the version to 1.2.0 (rehearsal)": True,
    "Release 1.2.0": True,
    "v1.2.0": True,
    "Bump version: 1.1.0 -> 1.2.0": True,
    "chore(release): prepare for v1.2.0 (#123)": True,
    ":bookmark: Release demo 1.2": True,
    "Bump requests from 1.1.0 to 1.2.0": False,
    "Release 1.3.0": False,
    "Bump the version": False,
    "Release the lock in 1.2.0": False,
    "Fix the version 1.2.0": False,
}


@pytest.mark.parametrize(("subject", "wanted"), NO_NEWS.items())
def test_setting_the_version_is_no_news(release: Release, subject: str, wanted: bool) -> None:  # noqa: FBT001  # a row of a table
    """A commit that only sets the version of the release is left out."""
    assert commits._sets_version(subject, release) is wanted


def test_nothing_but_the_version_changes(tmp_path: Path, release: Release, shell: Shell) -> None:
    """If the only commits set the version, the notes say that nothing else changed."""
    repo = Repo.new(tmp_path / "demo")
    repo.git("tag", "v1.1.0")
    head = repo.commit({"a": "a"}, "Release 1.2.0")
    assert noted(repo.path, release, shell, head) == [commits.NOTHING_ELSE]
    head = repo.commit({"a": "b"}, "Mend it")
    assert noted(repo.path, release, shell, head) == ["- Mend it"]


HOSTILE = {
    "Thanks @octocat and @org/team": "Thanks @&#8203;octocat and @&#8203;org/team",
    "<img src=x onerror=alert(1)>": "\\<img src=x onerror=alert(1)>",
    "# not a heading": "\\# not a heading",
    "1. not a list": "1\\. not a list",
    "see [here](https://example.org)": "see \\[here\\](https://example.org)",
    "keep snake_case and (#12)": "keep snake_case and (#12)",
    "\x1b[31mred\x1b[0m \N{RIGHT-TO-LEFT OVERRIDE}x": "red x",
}


@pytest.mark.parametrize(("subject", "wanted"), HOSTILE.items())
def test_subject_is_harmless(subject: str, wanted: str) -> None:
    """Mentions notify no one, and nothing in a subject is markup."""
    assert commits._format_subject(subject) == wanted


@given(st.text(min_size=1, max_size=80))
@example("- a\n- b")
@example(">0")
@example("|a|b|")
@example("&amp; &#64; *x* _y_ ~~z~~ `c`")
@example("=== ---")
@example("a\\")
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    """Markdown shows exactly the characters of any line in one bullet, and nothing else."""
    line = clean(text)
    if not line:
        return
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(f"- {markdown.escape(line)}\n")
    kinds = ["bullet_list_open", "list_item_open", "paragraph_open", "inline", "paragraph_close", "list_item_close"]
    assert [token.type for token in tokens] == [*kinds, "bullet_list_close"]
    children = tokens[3].children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children) == line
