"""A bad file of the corpus, and helpers that create one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.dists.checks.packing import Entry, Sdist, Wheel, member, metadata

File = tuple[str, bytes]
LIMIT = 200_000
"""The size limit for a file of the corpus, in bytes, here and at the index."""


@dataclass(frozen=True)
class Case:
    """One bad file for a project of any name, with the rule it breaks and PyPI's message."""

    name: str
    rule: str
    make: Callable[[str], File]
    index: str | None

    def __str__(self) -> str:
        return f"{self.rule}: {self.name}"


def with_metadata(*lines: str, **how: object) -> Callable[[str], File]:
    """A wheel with additional metadata lines."""
    return lambda name: Wheel(name=name, text=metadata(name, "1.0", *lines, **how)).file()  # type: ignore[arg-type]


def wheel(**how: object) -> Callable[[str], File]:
    """A wheel with these fields changed."""
    return lambda name: Wheel(name=name, **how).file()  # type: ignore[arg-type]


def wheel_with_member(data: bytes = b"lit = True\n", **how: object) -> Callable[[str], File]:
    """A wheel whose first member is modified."""
    return wheel(change=member(data, **how))


def sdist(**how: object) -> Callable[[str], File]:
    """An sdist with these fields changed."""
    return lambda name: Sdist(name=name, **how).file()  # type: ignore[arg-type]


def sdist_with(*more: Callable[[str], Entry], has_info: bool = True) -> Callable[[str], File]:
    """An sdist with members that depend on the name of its folder."""
    return lambda name: Sdist(name=name, more=[each(Sdist(name=name).stem) for each in more], has_info=has_info).file()


def renamed(make: Callable[[str], File], change: Callable[[str], str]) -> Callable[[str], File]:
    """A good file under another name."""

    def create(name: str) -> File:
        filename, data = make(name)
        return change(filename), data

    return create
