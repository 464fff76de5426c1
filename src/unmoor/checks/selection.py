"""Which checks run: those of the asked groups, without those that are ignored."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence

import msgspec

from unmoor import advice
from unmoor.checks.model import CheckGroup, RepositoryCheck
from unmoor.config.checks import CheckSettings
from unmoor.errors import ConfigError
from unmoor.util.text import clean


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """The checks to run, and the reasons of those among them that are ignored, by id."""

    checks: tuple[RepositoryCheck, ...]
    ignored: Mapping[str, str]


def select_checks(
    checks: Sequence[RepositoryCheck],
    settings: CheckSettings,
    *,
    groups: Collection[CheckGroup],
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
) -> Selection:
    """Choose checks. ``select`` and ``ignore`` are ids or groups of the command line.

    What is selected by its id runs whatever its group. Raises `ConfigError` for an id that no check has.
    """
    ids = [each.id for each in checks]
    for number, each in enumerate(settings.ignore, 1):
        if each.id not in ids:
            raise unknown_check(each.id, ids, where=f"tool.unmoor.checks.ignore, item {number}")
    for option, words in (("--select", select), ("--ignore", ignore)):
        for word in words:
            if word not in ids and word not in set(CheckGroup):
                raise unknown_check(word, ids, where=option)
    chosen = [
        each for each in checks if (each.id in select or each.group in select if select else each.group in groups)
    ]
    reasons = {each.id: each.reason for each in settings.ignore if each.id not in select}
    reasons |= {each.id: "--ignore" for each in checks if each.id in ignore or each.group in ignore}
    return Selection(checks=tuple(chosen), ignored=reasons)


def unknown_check(word: str, ids: Sequence[str], *, where: str) -> ConfigError:
    """The error for a name that no check has."""
    near = difflib.get_close_matches(word, ids, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return ConfigError(f"there is no check {clean(word, 60)!r}{hint}", where=where, next_step=advice.NAME_CHECK())
