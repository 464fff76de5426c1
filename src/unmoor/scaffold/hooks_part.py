"""The part ``hooks``: the entry of `unmoor check` in the settings of pre-commit. The other hooks stay as they are."""

from __future__ import annotations

import re
from typing import Final

from packaging.version import Version

from unmoor import advice
from unmoor.errors import Refused
from unmoor.scaffold.draft import ProposalDraft
from unmoor.workflows.reading import YamlList, YamlMap, YamlText, YamlValue, read_file

FILE: Final = ".pre-commit-config.yaml"
HOOK: Final = "unmoor-check"
_REPOSITORY: Final = "https://github.com/unmoor/unmoor"
_REASON: Final = "checks each commit"


def propose_hooks(draft: ProposalDraft, version: str) -> None:
    """Propose the entry for this ``version`` of unmoor. Raises `Refused` for a file that cannot be read or added to."""
    data = draft.read(FILE)
    if data is None:
        draft.write(FILE, ("repos:\n" + _entry(version, "  ")).encode(), _REASON)
        return
    file = read_file(FILE, data)
    repos = file.value.pairs.get("repos")
    entries = repos.items if isinstance(repos, YamlList) else ()
    if any(HOOK in _hooks(each) for each in entries):
        return
    text = data.decode()
    begin = file.value.lines.get("repos", 0)
    lines = text.splitlines(keepends=True)
    first = re.match(r"^(?P<indent> *)- ", lines[entries[0].line - 1]) if entries else None
    later = [line for key, line in file.value.lines.items() if line > begin]
    if not entries or first is None:
        raise _by_hand(version)
    end = min(later) - 1 if later else len(lines)
    while end and (not lines[end - 1].strip() or (later and lines[end - 1].startswith("#"))):
        end -= 1  # a comment above another key is about that one
    ends = "\r\n" if file.crlf else "\n"
    last = "" if lines[end - 1].endswith("\n") else ends
    added = _entry(version, first["indent"]).replace("\n", ends)
    after = "".join(lines[:end]) + last + added + "".join(lines[end:])
    _require_added(data, after.encode(), version)
    draft.write(FILE, after.encode(), _REASON)


def _entry(version: str, indent: str) -> str:
    lines = (f"- repo: {_REPOSITORY}", f"  rev: v{Version(version).base_version}", "  hooks:", f"    - id: {HOOK}")
    return "".join(f"{indent}{line}\n" for line in lines)


def _require_added(before: bytes, after: bytes, version: str) -> None:
    """Raise `Refused` unless the file says what it said, with one more repository."""
    try:
        old, new = (read_file(FILE, data).value.pairs for data in (before, after))
    except Refused as error:
        raise _by_hand(version) from error
    plain_old, plain_new = ({key: _plain(value) for key, value in each.items()} for each in (old, new))
    added = plain_new.pop("repos")
    had = plain_old.pop("repos")
    if plain_old != plain_new or not isinstance(added, list) or added[:-1] != had:
        raise _by_hand(version)


def _plain(value: YamlValue) -> object:
    """A value without its lines."""
    if isinstance(value, YamlMap):
        return {key: _plain(each) for key, each in value.pairs.items()}
    return [_plain(each) for each in value.items] if isinstance(value, YamlList) else value.text


def _hooks(entry: YamlValue) -> tuple[str, ...]:
    hooks = entry.pairs.get("hooks") if isinstance(entry, YamlMap) else None
    ids = (
        (each.pairs.get("id") for each in hooks.items if isinstance(each, YamlMap))
        if isinstance(hooks, YamlList)
        else ()
    )
    return tuple(each.text for each in ids if isinstance(each, YamlText))


def _by_hand(version: str) -> Refused:
    return Refused(
        f"this cannot be added without changing the rest of the file:\n{_entry(version, '')}",
        where=FILE,
        next_step=advice.ADD_BY_HAND(file=FILE),
    )
