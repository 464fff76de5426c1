"""The text of the one issue about releases that drifted: its title, its tables, and when it can be closed.

The issue names its findings in a comment that nobody sees. It stays open as long as one of them is there or unknown: a
surface that cannot be read is no reason to close it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from unmoor.notes.markdown import plain_cell
from unmoor.ports.issues import Notice
from unmoor.products.drift import AcceptedFinding, DriftFinding, NotKnown
from unmoor.util.text import count_of, list_some

MARKER: Final = "<!-- unmoor watch -->"
"""What the text of the issue begins with."""
_KEYS: Final = re.compile(r"<!-- findings:((?: [A-Za-z0-9_+@=./-]{0,200}:[a-z-]{1,40}){0,100}) -->")
_PLAIN_TAG: Final = re.compile(r"[A-Za-z0-9_+@=./-]{0,200}")
_MOST_ROWS: Final = 25
_MOST_KEYS: Final = 100
_LONGEST_STEP: Final = 500
_PROJECT: Final = "(project)"

Key: TypeAlias = tuple[str, str]
"""A tag, empty for the project, and the id of a finding."""


def read_keys(body: str) -> frozenset[Key]:
    """The findings that the text of an issue names. One that a person changed may name none."""
    found = _KEYS.search(body)
    pairs = (each.rpartition(":") for each in found[1].split()) if found else ()
    return frozenset((tag, finding) for tag, _, finding in pairs)


def write_notice(
    findings: Sequence[DriftFinding],
    unknown: Sequence[NotKnown],
    accepted: Sequence[AcceptedFinding],
    before: str,
) -> Notice:
    """Return what the issue should be now; ``before`` is its text so far, empty if none is open.

    It is needed as long as something drifted, or is unknown now and had drifted before.
    """
    now = {(each.tag, each.finding) for each in findings}
    settled = {(each.finding.tag, each.finding.finding) for each in accepted}
    waiting = sorted(key for key in read_keys(before) - now - settled if _is_unknown(key, unknown))
    is_needed = bool(findings or waiting)
    parts = [
        f"{MARKER}\n<!-- findings:{_write_keys([*now, *waiting])} -->\n",
        _intro(len(findings), len(waiting)),
        _table("Found", ("tag", "finding", "where", "what", "next step"), [_row(each) for each in findings]),
        _table("Found before, now unknown", ("tag", "finding"), [(tag or _PROJECT, what) for tag, what in waiting]),
        _table("Unknown, which is no drift", ("where", "tags", "why"), [_unknown_row(each) for each in unknown]),
        f"{count_of(len(accepted), 'finding')} accepted in the settings.\n" if accepted else "",
        "`unmoor watch --issue` keeps this text up to date, and closes the issue when nothing of it is left.\n",
    ]
    count = len(findings) + len(waiting)
    title = f"Releases drifted: {count_of(count, 'finding')}" if is_needed else "Releases are as they should be"
    return Notice(title=title, body="\n".join(filter(None, parts)), is_needed=is_needed)


def _is_unknown(key: Key, unknown: Sequence[NotKnown]) -> bool:
    """Whether what is unknown may hide a finding."""
    return any(not each.tags or not key[0] or key[0] in each.tags for each in unknown)


def _intro(found: int, waiting: int) -> str:
    if found:
        return f"{count_of(found, 'finding')} about the releases of this project.\n"
    return "Nothing is found, but what was found before cannot be read now.\n" if waiting else "Nothing is found.\n"


def _row(each: DriftFinding) -> tuple[str, ...]:
    return (each.tag or _PROJECT, each.finding, each.surface, each.what, each.next_step)


def _unknown_row(each: NotKnown) -> tuple[str, ...]:
    return (each.surface, list_some(each.tags, 5) or _PROJECT, each.why)


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    cells = [
        [*map(plain_cell, row[:4]), *(plain_cell(text, _LONGEST_STEP) for text in row[4:])] for row in rows[:_MOST_ROWS]
    ]
    lines = [head, ["---"] * len(head), *cells]
    more = f"\n… and {len(rows) - _MOST_ROWS} more.\n" if len(rows) > _MOST_ROWS else ""
    return f"### {title}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines) + more


def _write_keys(keys: Iterable[Key]) -> str:
    plain = sorted((tag, finding) for tag, finding in set(keys) if _PLAIN_TAG.fullmatch(tag))
    return "".join(f" {tag}:{finding}" for tag, finding in plain[:_MOST_KEYS])
