"""Decide which findings count: by the policy of their kind, and by what the settings ignore until when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from enum import Flag, auto
from fnmatch import fnmatchcase

import tomli_w

from unmoor import advice
from unmoor.advice import NextStep, join
from unmoor.config.scan import IgnoreSettings, ScanSettings
from unmoor.products.scan import Level, ScanFinding, Scanned
from unmoor.util.text import clean, list_some
from unmoor.util.values import replace


class Kinds(Flag):
    """The kinds of findings."""

    SECRETS = auto()
    VULNERABILITIES = auto()
    BOTH = SECRETS | VULNERABILITIES


# Between the rule and the path in the id of a secret. No advisory has it in its id.
_SEPARATOR = ":"
_SUGGESTED = timedelta(days=90)
_SHOWN = 10


def judge(scanned: Scanned, options: ScanSettings, today: date) -> Scanned:
    """Return the scan with its findings judged: those that are ignored, and as warnings those that do not stop."""
    return replace(scanned, findings=tuple(_judge(each, options, today) for each in scanned.findings))


def _judge(finding: ScanFinding, options: ScanSettings, today: date) -> ScanFinding:
    for each in options.ignore:
        if each.until >= today and matches(each, finding):
            return replace(finding, ignored=each.reason, until=each.until)
    policy = options.secrets if finding.is_secret else options.vulnerabilities
    if finding.level is Level.ERROR and policy != "required":
        return replace(finding, level=Level.WARNING)
    return finding


def matches(ignore: IgnoreSettings, finding: ScanFinding) -> bool:
    """Whether a setting names a finding: an advisory by any of its ids, a secret by rule and path."""
    if finding.is_secret:
        return ignore.id == finding.id or fnmatchcase(finding.id, ignore.id)
    return ignore.id.lower() in finding.ids


def ignore_warnings(scanned: Scanned, options: ScanSettings, today: date, kinds: Kinds = Kinds.BOTH) -> Iterator[str]:
    """Warn about what the settings ignore no longer, and about what they ignore in vain.

    What was not scanned may hold the finding, so then nothing is in vain. ``kinds``: which entries this scan can judge.
    """
    whole = not scanned.unknown and not scanned.skipped
    for each in options.ignore:
        kind = Kinds.SECRETS if _SEPARATOR in each.id else Kinds.VULNERABILITIES
        if not kind & kinds:
            continue
        found = [one for one in scanned.findings if matches(each, one)]
        if each.until < today:
            still = "it counts again" if found else "nothing has this id any more: remove the line"
            yield f"scan.ignore: {clean(each.id)} was ignored until {each.until}; {still}"
        elif not found and (whole or kind is Kinds.SECRETS):
            yield f"scan.ignore: nothing has the id {clean(each.id)}: remove the line"


def line_of(finding: ScanFinding) -> str:
    """Describe a finding in one line, without the secret."""
    if finding.is_secret:
        return f"{finding.file}: {clean(finding.path)}, line {finding.line}: {finding.what} ({clean(finding.id)})"
    also = f" ({clean(', '.join(finding.aliases), 100)})" if finding.aliases else ""
    fixed = f"; fixed in {clean(', '.join(finding.fixed), 100)}" if finding.fixed else "; no version fixes it"
    what = f"{clean(finding.package)} {clean(finding.version)}: {clean(finding.id)}{also}: {clean(finding.what, 200)}"
    return f"{finding.file} needs {what}{fixed}" if finding.file else f"{what}{fixed}"


def lines_of(findings: Sequence[ScanFinding]) -> list[str]:
    """Describe some findings, and count the others."""
    more = [f"and {len(findings) - _SHOWN} more: unmoor scan"] if len(findings) > _SHOWN else []
    return [*map(line_of, findings[:_SHOWN]), *more]


def stopping(scanned: Scanned) -> tuple[ScanFinding, ...]:
    """The findings that stop a release."""
    return tuple(each for each in scanned.counting if each.level is Level.ERROR)


def next_step(findings: Sequence[ScanFinding], today: date) -> NextStep:
    """What to do about findings, with the lines of the settings that ignore them."""
    secrets = [each for each in findings if each.is_secret]
    others = [each for each in findings if not each.is_secret]
    steps = []
    if secrets:
        steps.append(advice.REMOVE_SECRET(ignore=ignore_lines(secrets, today)))
    if others:
        names = list_some(sorted({clean(each.package) for each in others}), 3)
        steps.append(advice.UPDATE_DEPENDENCY(packages=names, ignore=ignore_lines(others, today)))
    return join(steps)


def ignore_lines(findings: Sequence[ScanFinding], today: date) -> str:
    """The inline tables that ignore findings, ready to paste into ``ignore``. The reason is for a person to write."""
    ids = dict.fromkeys(each.id for each in findings)
    tables = [f'{{ {_pair("id", each)}, reason = "…", until = {today + _SUGGESTED} }}' for each in ids]
    return ", ".join(tables[:_SHOWN]) + (f" and {len(tables) - _SHOWN} more" if len(tables) > _SHOWN else "")


def _pair(key: str, value: str) -> str:
    return tomli_w.dumps({key: value}).strip()
