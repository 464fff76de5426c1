"""What a command line says of how a project runs pytest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

# Options of pytest that choose tests or configure them, with a value. Others concern reports, coverage and speed.
_KEPT: Final = frozenset(
    [
        "-m",
        "-k",
        "-p",
        "-c",
        "--config-file",
        "-o",
        "--override-ini",
        "-W",
        "--pythonwarnings",
        "--ignore",
        "--ignore-glob",
        "--deselect",
        "--import-mode",
        "--rootdir",
        "--confcutdir",
        "--ds",
        "--dc",
    ]
)
_KEPT_FLAGS: Final = frozenset(
    ["--pyargs", "--strict", "--strict-markers", "--strict-config", "--reuse-db", "--nomigrations"]
)
_WITH_VALUE: Final = frozenset(
    [
        "-n",
        "--numprocesses",
        "--dist",
        "--maxprocesses",
        "--durations",
        "--durations-min",
        "--basetemp",
        "--junitxml",
        "--junit-xml",
        "--tb",
        "-r",
        "--cov-report",
        "--cov-config",
        "--cov-context",
        "--cov-fail-under",
        "--maxfail",
        "--html",
        "--color",
        "--timeout",
        "--reruns",
        "--log-level",
        "--capture",
        "--junit-prefix",
        "--log-file",
        "-p",
        "--count",
        "--benchmark-json",
        "--verbosity",
    ]
)
_PROGRAMS: Final = frozenset({"pytest", "py.test"})
_UNITTESTS: Final = frozenset({"unittest", "pytest", "nose2", "stestr", "trial", "virtue", "zope-testrunner"})


def runs_tests(words: Sequence[str]) -> bool:
    """Whether a command runs tests that pytest can run too."""
    names = [word.rpartition("/")[2] for word in words]
    return _pytest_arguments(words) is not None or bool(_UNITTESTS.intersection(names))


def settled(fixed: Sequence[str], replaceable: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words of a command and those that a user may replace. They count as its own if only they run tests.

    >>> settled([], ["pytest", "-v"]), settled(["pytest"], ["tests"])
    ((['pytest', '-v'], []), (['pytest'], ['tests']))
    """
    whole = [*fixed, *replaceable]
    return (whole, []) if not runs_tests(fixed) and runs_tests(whole) else ([*fixed], [*replaceable])


def _pytest_arguments(words: Sequence[str]) -> tuple[str, ...] | None:
    """The words after pytest in a command such as ``coverage run -m pytest …``, ``None`` if it does not run pytest."""
    for place, word in enumerate(words):
        before = words[:place]
        if word.rpartition("/")[2] in _PROGRAMS and ("-m" in before[-1:] or not _is_argument(before)):
            return tuple(words[place + 1 :])
        if word == "-mpytest":
            return tuple(words[place + 1 :])
    return None


def _is_argument(before: Sequence[str]) -> bool:
    """Whether a program stands before: ``pip install pytest`` does not run pytest, ``env A=1 pytest`` does."""
    return any("=" not in word and word not in {"env", "uv", "run", "poetry", "pdm", "hatch", "-"} for word in before)


class PytestCall(msgspec.Struct, frozen=True, kw_only=True):
    """How a project calls pytest: the options that choose or configure tests, and the paths."""

    options: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


def read_call(words: Sequence[str], *, defaults: Sequence[str] = ()) -> PytestCall | None:
    """Read a command, ``None`` if it does not run pytest.

    ``defaults`` are the arguments that a user would replace by others on the command line. Only their paths count.

    >>> read_call(["coverage", "run", "-m", "pytest", "--cov", "-m", "not slow", "-n", "4", "tests"])
    PytestCall(options=('-m', 'not slow'), paths=('tests',))
    """
    arguments = _pytest_arguments(words)
    if arguments is None:
        return None
    options: list[str] = []
    paths: list[str] = []
    for option, value in _pairs(arguments):
        if not option:
            paths.append(value)
        elif option in _KEPT_FLAGS:
            options.append(option)
        elif option in _KEPT:
            options += [f"{option}={value}"] if option.startswith("--") else [option, value]
    paths += [value for option, value in _pairs(defaults) if not option]
    return PytestCall(options=tuple(options), paths=tuple(paths))


def _pairs(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options with their values; a path has no option."""
    rest = iter(arguments)
    for word in rest:
        long, separator, value = word.partition("=")
        short = word[:2]
        if not word.startswith("-"):
            yield "", word
        elif word.startswith("--"):
            takes = long in _KEPT or long in _WITH_VALUE
            yield long, value if separator or not takes else next(rest, "")
        elif short in _KEPT or short in _WITH_VALUE:
            yield short, word[2:] or next(rest, "")
        else:
            yield word, ""
