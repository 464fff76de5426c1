"""Which versions of Python a project says that it supports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from unmoor.project.files import Files, table
from unmoor.project.literals import setup_keyword, texts_of

OFFERED: Final = tuple(f"3.{minor}" for minor in range(8, 15))
"""The minor versions that hosted runners offer on every system. They may offer newer ones too."""
_CURRENT: Final = OFFERED[-4:]
_CLASSIFIER: Final = re.compile(r"Programming Language :: Python :: (?P<minor>3\.[0-9]{1,2})")
_EVERY: Final = ("2.7", *(f"3.{minor}" for minor in range(100)))
_LAST_PATCH: Final = 99


def minor_versions(files: Files) -> tuple[str, ...]:
    """The minor versions that a project supports, lowest first: those of its classifiers if they name any.

    Otherwise those that runners offer and that ``requires-python`` lets in, or, if it does not say, the current ones.
    Versions that no runner offers any more are left out; see `unoffered`. Raises `ConfigError` for a malformed file.
    """
    named = [each for each in _named(files) if _order(each) >= _order(OFFERED[0])]
    specifiers = _specifiers(files)
    if not specifiers:
        return tuple(named) or _CURRENT
    fits = ([each for each in some if _lets_in(specifiers, each)] for some in (named, OFFERED))
    return tuple(next(filter(None, fits), []) or _written(specifiers)) or _CURRENT


def unoffered(files: Files) -> tuple[str, ...]:
    """The minor versions of Python 3 that the classifiers name and that are too old for today's runners."""
    return tuple(each for each in _named(files) if _order(each) < _order(OFFERED[0]))


def oldest_python(files: Files) -> str:
    """The oldest minor version that a project supports, as in ``3.9``; empty if its files do not say.

    ``requires-python`` decides, since installers go by it, then the classifiers. It may be one that is gone, as 2.7 is.
    Raises `ConfigError` for a malformed file.
    """
    if (specifiers := _specifiers(files)) and not specifiers.contains("1.0"):  # which only no lower bound lets in
        return next((each for each in _EVERY if _lets_in(specifiers, each)), next(iter(_written(specifiers)), ""))
    return next(iter(_named(files)), "")


def classifiers_of(files: Files) -> tuple[str, ...]:
    """The trove classifiers, wherever the project's files write them down."""
    tool = table(files.pyproject, "tool")
    found = texts_of(table(files.pyproject, "project").get("classifiers"))
    found += texts_of(table(tool, "poetry").get("classifiers"))
    found += texts_of(table(tool, "flit", "metadata").get("classifiers"))
    if files.read("setup.cfg") is not None:
        for key in ("classifiers", "classifier"):
            found += files.cfg.get("metadata", key, fallback="").splitlines()
    found += texts_of(setup_keyword(files, "classifiers"))
    return tuple(dict.fromkeys(each.strip() for each in found if each.strip()))


def requires_python(files: Files) -> str:
    """``Requires-Python`` from pyproject.toml or setup.cfg, empty if only a build can determine it."""
    requires = table(files.pyproject, "project").get("requires-python")
    if requires is None and files.read("setup.cfg") is not None:
        requires = files.cfg.get("options", "python_requires", fallback=None)
    return requires.strip() if isinstance(requires, str) else ""


def _named(files: Files) -> list[str]:
    matches = (_CLASSIFIER.fullmatch(each) for each in classifiers_of(files))
    return sorted({match["minor"] for match in matches if match}, key=_order)


def _specifiers(files: Files) -> SpecifierSet:
    """What the project requires of Python; empty if it does not say or says it in another form."""
    for text in _required(files):
        try:
            return SpecifierSet(text)
        except InvalidSpecifier:
            continue  # the check of the metadata reports it
    return SpecifierSet()


def _required(files: Files) -> Iterator[str]:
    yield from filter(None, [requires_python(files)])
    poetry = table(files.pyproject, "tool", "poetry", "dependencies").get("python")
    if poetry:
        # What reads it takes longer to import than everything else here.
        from packaging.requirements import Requirement

        from unmoor.project.test_needs.poetry import requirement_of

        if text := requirement_of("python", poetry):
            yield str(Requirement(text).specifier)
    flit = table(files.pyproject, "tool", "flit", "metadata").get("requires-python")
    yield from (each for each in (flit, setup_keyword(files, "python_requires")) if isinstance(each, str) and each)


def _lets_in(specifiers: SpecifierSet, minor: str) -> bool:
    """Whether a first or a late release of a minor version fits: ``>=3.9.1`` means 3.9, ``<=3.12`` means 3.12."""
    return any(specifiers.contains(f"{minor}.{patch}") for patch in (0, _LAST_PATCH))


def _written(specifiers: SpecifierSet) -> list[str]:
    """The minor versions that specifiers name as their lower bound or as the only one."""
    found = (re.match(r"3\.[0-9]{1,2}", each.version) for each in specifiers if each.operator in {">=", "~=", "=="})
    return sorted({match[0] for match in found if match}, key=_order)


def _order(minor: str) -> int:
    return int(minor.partition(".")[2])
