"""Patterns of branches and tags, as a forge's rules have them: fnmatch in which ``*`` stops at a slash.

Source: GitHub's page "Creating rulesets for a repository", section "Using fnmatch syntax".
"""

from __future__ import annotations

import fnmatch
import re
from functools import lru_cache

ALL = "~ALL"
DEFAULT_BRANCH = "~DEFAULT_BRANCH"
BRANCHES = "refs/heads/"
TAGS = "refs/tags/"
_SPECIAL = re.compile(r"[*?\[\\]")


def matches(ref: str, pattern: str, *, default_branch: str = "") -> bool:
    """Whether a full ref, such as ``refs/heads/main``, matches a pattern."""
    if pattern == ALL:
        return True
    if pattern == DEFAULT_BRANCH:
        return ref == f"{BRANCHES}{default_branch}"
    return _matches(tuple(ref.split("/")), tuple(pattern.split("/")))


def _matches(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Compare part by part: ``states`` are the places in the pattern that the parts so far can have led to."""
    states = _without_folders({0}, pattern)
    for part in parts:
        states = _without_folders(
            {
                at if _is_folders(pattern, at) else at + 1
                for at in states
                if at < len(pattern) and (_is_folders(pattern, at) or _segment(pattern[at]).match(part))
            },
            pattern,
        )
    return len(pattern) in states


def _is_folders(pattern: tuple[str, ...], at: int) -> bool:
    """Whether a part of the pattern is ``**/``, which matches any folders, or none; at the end it is a mere ``*``."""
    return pattern[at] == "**" and at < len(pattern) - 1


def _without_folders(states: set[int], pattern: tuple[str, ...]) -> set[int]:
    found = set(states)
    for at in range(len(pattern)):
        if at in found and _is_folders(pattern, at):
            found.add(at + 1)
    return found


@lru_cache(maxsize=256)
def _segment(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))


def covers(wider: str, narrower: str) -> bool:
    """Whether every ref that a pattern matches certainly matches another one; false if that is not certain.

    It is certain for the same pattern, for all refs, and for one that ends in its only ``*`` and has the text before
    it in common, if no more slash can follow.
    """
    if wider in {ALL, narrower}:
        return True
    if DEFAULT_BRANCH in {wider, narrower} or narrower == ALL:
        return False
    if wider.endswith("/**/*") and not _SPECIAL.search(wider[: -len("**/*")]):
        return narrower.startswith(wider[: -len("**/*")])
    text = wider[:-1]
    if not wider.endswith("*") or _SPECIAL.search(text):
        return False
    return narrower.startswith(text) and "/" not in narrower[len(text) :]
