"""Write release notes from the commits, for a project without a changelog."""

from __future__ import annotations

import re

from packaging.version import Version

from unmoor.notes.headings import version_of
from unmoor.notes.markdown import escape
from unmoor.notes.reading import word_set
from unmoor.ports.git import Git
from unmoor.products import Release
from unmoor.util.text import clean

SHOWN = 200
NOTHING_ELSE = "No notable changes."
# The most characters of a subject that only sets the version.
_LONGEST = 100
_SETTING = word_set(
    "set sets bump bumps bumped bumping the version versions to from for of in as release releases released releasing "
    "prepare prepares preparing prepared new tag tagging publish cut update updates chore build "
    "rehearsal next changelog and v"
)
_FETCHED = 1_000
_APART = re.compile(r"[\s:;,!()\[\]`\"']+|-+>|=+>")
_EMOJI = re.compile(r":[a-z_]{1,40}:")
_MENTION = re.compile(r"@(?=\w)")


def list_commits(release: Release, git: Git) -> tuple[str, str]:
    """Write one bullet for each commit since the previous release. Returns the text and its source.

    The port leaves out merges. Commits that only set the version are no news, unless there are no others. Subjects are
    untrusted text, so they are escaped. A zero-width space after an at sign prevents mentions from notifying anyone.
    """
    if release.previous is None:
        return "First release.", "the first release"
    source = f"the commits since {clean(release.previous)}"
    listed = git.log(since=release.previous, until=release.commit, limit=_FETCHED)
    commits = [commit for commit in listed if not _sets_version(commit.subject, release)]
    if listed and not commits:
        return NOTHING_ELSE, source
    lines = [f"- {_format_subject(commit.subject)}" for commit in commits[:SHOWN]]
    if len(commits) > SHOWN:
        least = "at least " if len(listed) >= _FETCHED else ""
        lines.append(f"- and {least}{len(commits) - SHOWN} more")
    return "\n".join(lines), source


def _sets_version(subject: str, release: Release) -> bool:
    """Whether a subject says only that the version is set or released, as in ``Bump version: 1.1.0 -> 1.2.0``."""
    if len(subject) > _LONGEST:
        return False
    words = [word for word in _APART.split(_EMOJI.sub(" ", subject.lower())) if re.search(r"\w", word)]
    versions = [version_of(word) for word in words]
    others = {word for word, version in zip(words, versions, strict=True) if version is None and word[0] != "#"}
    return Version(release.version) in versions and others <= {*_SETTING, release.project.lower()}


def _format_subject(text: str) -> str:
    escaped = escape(clean(text)) or "(no subject)"
    return _MENTION.sub("@&#8203;", escaped)
