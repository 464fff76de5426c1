"""The text of the one issue about broken rules: its title, its table, and when it can be closed.

The issue names the rules that were broken in a comment that nobody sees. It stays open as long as one of them is
broken or unknown: a rule that cannot speak any more is no reason to close it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Final

from unmoor.metrics.judge.model import RULES, RuleResult, RuleVerdict
from unmoor.notes.markdown import plain_cell
from unmoor.ports.issues import Notice
from unmoor.util.text import count_of

MARKER: Final = "<!-- unmoor metrics -->"
"""What the text of the issue begins with."""
_KEYS: Final = re.compile(r"<!-- rules:([0-9a-f ]{0,4000}) -->")
_MOST_ROWS: Final = 100
_MOST_KEYS: Final = 250


def write_notice(judgements: Sequence[RuleResult], before: str) -> Notice:
    """Return what the issue should be now; ``before`` is its text so far, empty if there is none.

    It is needed as long as a rule is broken, or one that was broken is unknown.
    """
    broken = [each for each in judgements if each.verdict is RuleVerdict.BROKEN]
    unknown = [each for each in judgements if each.verdict is RuleVerdict.UNKNOWN]
    earlier = _read_keys(before)
    waiting = [each for each in unknown if _key(each) in earlier]
    is_needed = bool(broken or waiting)
    count = len(broken) + len(waiting)
    parts = [
        f"{MARKER}\n<!-- rules:{_write_keys([*broken, *waiting])} -->\n",
        _intro(len(broken), len(waiting)),
        _table("Broken", broken, with_figures=True),
        _table("Broken before, now unknown", waiting, with_figures=False),
        _table("Unknown, which is no pass", [each for each in unknown if each not in waiting], with_figures=False),
        "`unmoor metrics check --issue` keeps this text up to date, and closes the issue when no rule is broken.\n",
    ]
    title = f"{count_of(count, 'figure')} of the pipeline out of bounds" if is_needed else "The pipeline's figures"
    return Notice(title=title, body="\n".join(filter(None, parts)), is_needed=is_needed)


def _intro(broken: int, waiting: int) -> str:
    if broken:
        return f"{count_of(broken, 'rule')} of the project's metrics {'is' if broken == 1 else 'are'} broken.\n"
    return "No rule is broken, but one that was cannot speak any more.\n" if waiting else "No rule is broken.\n"


def _table(title: str, rows: Sequence[RuleResult], *, with_figures: bool) -> str:
    if not rows:
        return ""
    head = ["rule", "of", *(["found", "limit"] if with_figures else []), "why"]
    lines = [head, ["---"] * len(head)]
    for each in rows[:_MOST_ROWS]:
        figures = [each.found, each.limit] if with_figures else []
        lines.append([plain_cell(text) for text in (RULES[each.rule], each.subject, *figures, each.why)])
    more = f"\n… and {len(rows) - _MOST_ROWS} more.\n" if len(rows) > _MOST_ROWS else ""
    return f"### {title}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines) + more


def _key(judgement: RuleResult) -> str:
    return hashlib.sha256("\n".join(judgement.key).encode()).hexdigest()[:12]


def _write_keys(judgements: Iterable[RuleResult]) -> str:
    return "".join(f" {key}" for key in sorted({_key(each) for each in judgements})[:_MOST_KEYS])


def _read_keys(body: str) -> frozenset[str]:
    found = _KEYS.search(body)
    return frozenset(found[1].split()) if found else frozenset()
