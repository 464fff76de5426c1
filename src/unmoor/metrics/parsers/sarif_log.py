"""Findings in SARIF 2.1.0, counted by their level.

A result without a level has that of its rule, else ``warning`` (sections 3.27.10 and 3.52.2). Suppressed findings, and
those that are gone since a baseline, do not count. https://docs.oasis-open.org/sarif/sarif/v2.1.0/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

import msgspec

from unmoor.metrics.parsers.model import Measured, ParsedFigures, moment, short
from unmoor.metrics.records import FindingsRecord
from unmoor.util.decode import decode_json

_Level: TypeAlias = Literal["error", "warning", "note", "none"]
# What a result can be besides a finding.
_NO_FINDING: Final = frozenset({"pass", "notApplicable", "informational"})


class _Base(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of a log; what is not declared is skipped."""


class _Configuration(_Base, frozen=True, kw_only=True):
    level: _Level = "warning"


class _Rule(_Base, frozen=True, kw_only=True):
    id: str
    default_configuration: _Configuration = _Configuration()


class _Component(_Base, frozen=True, kw_only=True):
    name: str
    rules: tuple[_Rule, ...] = ()


class _Tool(_Base, frozen=True, kw_only=True):
    driver: _Component
    extensions: tuple[_Component, ...] = ()


class _Invocation(_Base, frozen=True, kw_only=True):
    execution_successful: bool = True
    end_time_utc: str = ""


class _Suppression(_Base, frozen=True, kw_only=True):
    status: str = "accepted"


class _RuleReference(_Base, frozen=True, kw_only=True):
    id: str = ""


class _Result(_Base, frozen=True, kw_only=True):
    rule_id: str = ""
    rule_index: int = -1
    rule: _RuleReference = _RuleReference()
    kind: str = "fail"
    level: _Level | None = None
    suppressions: tuple[_Suppression, ...] = ()
    baseline_state: str = ""


class _Run(_Base, frozen=True, kw_only=True):
    tool: _Tool
    results: tuple[_Result, ...] | None = ()
    invocations: tuple[_Invocation, ...] = ()


class _Log(_Base, frozen=True, kw_only=True):
    version: str
    runs: tuple[_Run, ...]


def parse(data: bytes, measured: Measured) -> ParsedFigures:
    """Count the findings of a log, one record for each tool. Raises `ValueError` if it is none or is not complete."""
    log = decode_json(data, _Log)
    if not log.version.startswith("2.1"):
        msg = f"it is SARIF {short(log.version, '?')}, and only 2.1.0 is read"
        raise ValueError(msg)
    if not log.runs:
        msg = "it has no run of a tool"
        raise ValueError(msg)
    records: dict[str, FindingsRecord] = {}
    for run in log.runs:
        record = _count(run, measured)
        before = records.get(record.tool)
        records[record.tool] = record if before is None else add_findings(before, record)
    return ParsedFigures(records=tuple(records.values()))


def add_findings(one: FindingsRecord, other: FindingsRecord) -> FindingsRecord:
    """Add the findings of two parts of what a tool looked at."""
    return msgspec.structs.replace(
        other,
        at=max(one.at, other.at),
        errors=one.errors + other.errors,
        warnings=one.warnings + other.warnings,
        notes=one.notes + other.notes,
    )


def _count(run: _Run, measured: Measured) -> FindingsRecord:
    tool = short(run.tool.driver.name, "a tool without a name")
    # Without results the tool only says what it can find (section 3.14.23).
    if run.results is None or not all(each.execution_successful for each in run.invocations):
        msg = f"{tool} did not finish, so its findings are not all there are"
        raise ValueError(msg)
    levels = Counter(_levels(run))
    ended = (moment(each.end_time_utc, measured.now) for each in run.invocations)
    return FindingsRecord(
        commit=measured.commit_or(""),
        at=max(ended, default=measured.now),
        tool=tool,
        errors=levels["error"],
        warnings=levels["warning"],
        notes=levels["note"] + levels["none"],
    )


def _levels(run: _Run) -> Iterator[_Level]:
    components = (run.tool.driver, *run.tool.extensions)
    by_id = {rule.id: rule.default_configuration.level for part in components for rule in part.rules}
    numbered = run.tool.driver.rules
    for each in run.results or ():
        suppressed = each.suppressions and all(part.status == "accepted" for part in each.suppressions)
        if each.kind in _NO_FINDING or suppressed or each.baseline_state == "absent":
            continue
        name = each.rule_id or each.rule.id
        if each.level is not None:
            yield each.level
        elif name in by_id:
            yield by_id[name]
        elif not name and 0 <= each.rule_index < len(numbered):
            yield numbered[each.rule_index].default_configuration.level
        else:
            yield "warning"
