"""Whether the selected files may go into a Space: there, not empty, readable, small enough, and without secrets.

A file that fails and is not critical is left out, with the reason. A critical one stops everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from unmoor import advice
from unmoor.deploy.space.identity import describe
from unmoor.deploy.space.patterns import matches, select
from unmoor.errors import Refused, UnmoorError, Unsafe
from unmoor.filesystem.files import read_regular
from unmoor.products import LeftOutFile, SpaceFile
from unmoor.scanning.secrets import RULES, find_secrets
from unmoor.util.decode import decode_json, decode_toml
from unmoor.util.secret_scan import secret_file
from unmoor.util.text import clean, size

README: Final = "README.md"
LARGEST: Final = 100_000_000
"""The largest file, in bytes."""
_LARGEST_TEXT: Final = 5_000_000
_MOST_BYTES: Final = 1_000_000_000
_MOST_FILES: Final = 2000
# Names of files that are often empty, and mean something all the same.
_MAY_BE_EMPTY: Final = frozenset({"__init__.py", "py.typed", ".gitkeep", ".nojekyll"})
_POINTER: Final = b"version https://git-lfs.github.com/spec/"
# The metadata of a README are between two lines of dashes, at its beginning.
_FRONT: Final = re.compile(r"\A(?:\ufeff)?---[ \t]*\n(?P<yaml>(?:(?!---[ \t]*$).*\n){0,500})---[ \t]*$", re.MULTILINE)
_SDKS: Final = ("gradio", "docker", "static", "streamlit")

JudgePython = Callable[[Mapping[str, bytes]], Mapping[str, str]]
"""Parses Python files by path, and says of each that is none why."""


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """The files that go into the Space, sorted by path, and what is left out."""

    files: tuple[SpaceFile, ...]
    left_out: tuple[LeftOutFile, ...] = ()


def examine(
    tree: Path, names: Sequence[str], *, patterns: Sequence[str], critical: Sequence[str], judge_python: JudgePython
) -> Examined:
    """Select among the tracked ``names`` of a tree, and look at each file.

    Raises `Refused` if a critical file is missing or fails, or if nothing is left; `Unsafe` if one has a secret.
    """
    chosen = select(patterns, names)
    _require_few(chosen.paths)
    contents: dict[str, bytes] = {}
    found: list[SpaceFile] = []
    left_out = [LeftOutFile(path=each, why="no tracked file matches") for each in chosen.unmatched]
    for path in chosen.paths:
        file, why = _look_at(path, tree / path)
        if file is not None:
            found.append(file)
            contents |= {path: read_regular(file.source, LARGEST)} if _is_text(file) else {}
        else:
            left_out.append(LeftOutFile(path=path, why=why))
    wrong = dict(judge_python({path: data for path, data in contents.items() if path.endswith(".py")}))
    wrong |= {path: why for path, data in contents.items() if (why := _why_malformed(path, data))}
    secrets = {each.path: why for each in found if (why := _secret_in(each))}
    left_out += [LeftOutFile(path=each.path, why=wrong[each.path]) for each in found if each.path in wrong]
    left_out += [LeftOutFile(path=path, why=why, secret=True) for path, why in secrets.items() if path not in wrong]
    kept = tuple(each for each in found if each.path not in wrong and each.path not in secrets)
    _require_critical(critical, kept, left_out)
    if not kept:
        raise _refused("no file is left to deploy", left_out)
    if (total := sum(each.size for each in kept)) > _MOST_BYTES:
        raise _refused(f"the files have {size(total)} together, and the most is {size(_MOST_BYTES)}", ())
    return Examined(files=kept, left_out=tuple(left_out))


def _require_few(paths: Sequence[str]) -> None:
    if len(paths) > _MOST_FILES:
        raise _refused(f"the patterns select {len(paths)} files, and the most is {_MOST_FILES}", ())


def _look_at(path: str, source: Path) -> tuple[SpaceFile | None, str]:
    """Describe a file, or say why it cannot go there."""
    if source.is_symlink():
        return None, "it is a link"
    try:
        length = source.stat().st_size
        if length > LARGEST:
            return None, f"it has {size(length)}, and the most is {size(LARGEST)}"
        file = describe(path, source)
    except (OSError, UnmoorError) as error:
        return None, f"it cannot be read: {clean(getattr(error, 'strerror', None) or str(error), 200)}"
    if not file.size and PurePosixPath(path).name not in _MAY_BE_EMPTY:
        return None, "it is empty"
    return file, ""


def _is_text(file: SpaceFile) -> bool:
    """Whether the content of a file is judged: by its name, and not if it is too large for its kind."""
    return PurePosixPath(file.path).suffix in {".py", *_READERS} or file.path == README


def _why_malformed(path: str, data: bytes) -> str:
    """Why a file is not what its name says; empty if it is."""
    if data.startswith(_POINTER):
        return "it is a pointer of git-lfs instead of the file"
    if len(data) > _LARGEST_TEXT:
        return f"it has {size(len(data))}, and the most for its kind is {size(_LARGEST_TEXT)}"
    try:
        if path == README:
            return _why_no_sdk(data)
        if reader := _READERS.get(PurePosixPath(path).suffix):
            reader(data)
    except ValueError as error:
        return f"it is not valid: {clean(str(error), 200)}"
    return ""


def _read_json(data: bytes) -> None:
    decode_json(data, object)


def _read_toml(data: bytes) -> None:
    decode_toml(data)


def _read_yaml(data: bytes) -> None:
    _compose(data.decode())


_READERS: Final[Mapping[str, Callable[[bytes], None]]] = {
    ".json": _read_json,
    ".toml": _read_toml,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
}


def _compose(text: str) -> object:
    """Read the nodes of YAML, which aliases cannot multiply. Raises `ValueError`."""
    from ruamel.yaml.error import YAMLError

    from unmoor.util.shallow_yaml import shallow_yaml

    try:
        nodes: object = None
        for each in shallow_yaml().compose_all(text):
            nodes = each if nodes is None else nodes
    except (YAMLError, RecursionError, ValueError) as error:
        raise ValueError(getattr(error, "problem", None) or type(error).__name__) from error
    return nodes


def _why_no_sdk(data: bytes) -> str:
    """Why the metadata of a README do not tell the hub what to run; empty if they do. Raises `ValueError`."""
    from ruamel.yaml.nodes import MappingNode, ScalarNode

    front = _FRONT.match(data.decode().replace("\r\n", "\n"))
    if front is None:
        return "it has no metadata between two lines of ---, where the hub looks for sdk"
    node = _compose(front["yaml"])
    pairs = node.value if isinstance(node, MappingNode) else []
    values = [value.value for key, value in pairs if key.value == "sdk" and isinstance(value, ScalarNode)]
    if values and values[0] in _SDKS:
        return ""
    return f"its metadata have no sdk, which is one of {', '.join(_SDKS)}"


def _secret_in(file: SpaceFile) -> str:
    """What secret a file has; empty if none."""
    if what := secret_file(file.path):
        return f"it is {what}"
    match = next(iter(find_secrets([read_regular(file.source, LARGEST)])), None)
    return f"line {match.line} has {RULES[match.rule].what}" if match is not None else ""


def _require_critical(critical: Sequence[str], kept: Sequence[SpaceFile], left_out: Sequence[LeftOutFile]) -> None:
    """Raise if a critical file is not among those that are kept."""
    failed = [each for each in left_out if matches(critical, each.path)]
    names = [*(each.path for each in kept), *(each.path for each in left_out)]
    absent = [each for each in critical if not any(matches((each,), name) for name in names)]
    failed += [LeftOutFile(path=each, why="it is not among the files of the Space, or not tracked") for each in absent]
    if not failed:
        return
    if any(each.secret for each in failed):
        raise Unsafe(
            f"files that the Space needs have secrets:{_lines(failed)}", next_step=advice.REMOVE_SPACE_SECRET()
        )
    raise _refused("the Space needs these files:", failed)


def _refused(what: str, files: Sequence[LeftOutFile]) -> Refused:
    return Refused(f"{what}{_lines(files)}", next_step=advice.CORRECT_SPACE_FILES())


def _lines(files: Sequence[LeftOutFile]) -> str:
    shown = "".join(f"\n  {each}" for each in files[:20])
    return shown + (f"\n  and {len(files) - 20} more" if len(files) > 20 else "")  # noqa: PLR2004 - as above
