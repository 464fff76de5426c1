"""Recognize by its content what a file is, and read it."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from xml.parsers import expat

import msgspec

from unmoor.metrics.parsers import coverage_xml, junit_xml, own_json, pytest_benchmark, sarif_log
from unmoor.metrics.parsers.model import LARGEST, Measured, ParsedFigures
from unmoor.util.decode import decode_json
from unmoor.util.text import clean, list_some

FORMATS: Final = (
    "JSON of pytest-benchmark",
    "XML of coverage.py (coverage xml)",
    "XML of JUnit",
    "SARIF 2.1.0",
    "reports of unmoor bench compare",
    "lines of records",
)
"""What is read, for messages."""
_BEGINNING: Final = 1 << 16
_MOST_KEYS: Final = 8

# The keys that a format has at its top, and how it is read.
_JSON: Final[tuple[tuple[frozenset[str], Callable[[bytes, Measured], ParsedFigures]], ...]] = (
    (frozenset({"runs", "version"}), sarif_log.parse),
    (frozenset({"benchmarks", "machine_info"}), pytest_benchmark.parse),
    (frozenset({"format", "tool", "head", "benchmarks"}), own_json.parse_report),
)
_XML: Final[Mapping[str, Callable[[Path, Measured], ParsedFigures]]] = {
    "coverage": coverage_xml.parse,
    "testsuite": junit_xml.parse,
    "testsuites": junit_xml.parse,
}


def parse_file(path: Path, measured: Measured) -> ParsedFigures:
    """Read a file of any known format.

    Raises `ValueError` with what is wrong, for a format that is not known as well, `NoCommit`, and `OSError`.
    """
    with path.open("rb") as stream:
        beginning = stream.read(_BEGINNING)
        start = beginning.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
        if not start:
            msg = "it is empty" if not beginning else "it has only blanks"
            raise ValueError(msg)
        if start == b"<":
            return _parse_xml(path, beginning, measured)
        if start not in {b"{", b"["}:
            msg = "it is neither XML nor JSON"
            raise ValueError(msg)
        data = beginning + stream.read(LARGEST - len(beginning) + 1)
    if len(data) > LARGEST:
        msg = f"it is larger than {LARGEST // 1_000_000} MB"
        raise ValueError(msg)
    return _parse_json(data.removeprefix(codecs.BOM_UTF8), measured)


def _parse_xml(path: Path, beginning: bytes, measured: Measured) -> ParsedFigures:
    root = _root_of(beginning)
    if root not in _XML:
        msg = f"unmoor does not know this XML, whose root is <{clean(root, 60)}>"
        raise ValueError(msg)
    return _XML[root](path, measured)


class _Found(Exception):
    """The name of the root is known."""


def _root_of(beginning: bytes) -> str:
    """Return the name of the root of XML without its name space. Raises `ValueError` if it has none."""
    found: list[str] = []

    def start(name: str, _attributes: dict[str, str]) -> None:
        found.append(name.rpartition(" ")[2])
        raise _Found

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    try:
        parser.Parse(beginning, False)  # noqa: FBT003 - expat takes no keyword
    except _Found:
        return found[0]
    except expat.ExpatError as error:
        msg = f"it is not XML: {error}"
        raise ValueError(msg) from error
    msg = "it is XML without an element at its beginning"
    raise ValueError(msg)


def _parse_json(data: bytes, measured: Measured) -> ParsedFigures:
    first = data.lstrip().split(b"\n", 1)[0]
    if _has_kind(first):
        return own_json.parse_lines(data, measured)
    try:
        top = decode_json(data, dict[str, msgspec.Raw])
    except ValueError as error:
        msg = f"it is no JSON that unmoor knows: {clean(str(error), 200)}"
        raise ValueError(msg) from error
    for keys, parse in _JSON:
        if keys <= top.keys():
            return parse(data, measured)
    names = list_some([clean(key, 40) for key in top], _MOST_KEYS) or "no keys"
    msg = f"unmoor does not know this JSON, which has {names} at its top"
    raise ValueError(msg)


class _Kind(msgspec.Struct, frozen=True):
    kind: str


def _has_kind(line: bytes) -> bool:
    """Whether a line is an object that says which kind of record it is."""
    try:
        decode_json(line, _Kind)
    except ValueError:
        return False
    return True
