"""tox's environments in ``tox.ini``, ``setup.cfg`` or ``legacy_tox_ini``, as far as they can be read.

tox itself is no help: it reads a folder on disk, and runs the plugins and ``toxfile.py`` of a project meanwhile.
"""

from __future__ import annotations

import configparser
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

from unmoor.project.files import Files, table
from unmoor.project.test_needs.command import read_call, runs_tests, settled
from unmoor.project.test_needs.groups import resolve_known
from unmoor.project.test_needs.requirement_lines import read_lines
from unmoor.project.test_needs.source import Source, SourceKind, kind_of
from unmoor.project.test_needs.variables import PROJECT, Variables, usable
from unmoor.util.decode import read_ini
from unmoor.util.values import replace

_MOST_ENVIRONMENTS: Final = 500
_MOST_CHARACTERS: Final = 100_000
_CONDITION: Final = re.compile(r"(?P<factors>[\w{}.,!+-]+):\s+(?P<content>.*)")
_INNERMOST: Final = re.compile(r"\{([^{}]*)\}")
_RANGE: Final = re.compile(r"(\d{1,3})-(\d{1,3})")
_PYTHON: Final = re.compile(r"(?:py(?:py)?)?\d[\d.]*t?|py(?:py|3)?|jython.*|graalpy.*")
_OWN_PYTHON: Final = frozenset(
    {
        "py",
        "py3",
        f"py{sys.version_info[0]}{sys.version_info[1]}",
        f"{sys.version_info[0]}.{sys.version_info[1]}",
        f"py{sys.version_info[0]}.{sys.version_info[1]}",
    }
)
# Stands around arguments that a user of tox may replace on the command line.
_REPLACEABLE: Final = "\0"
# Stand for the folder of the project, and for what only tox could know.
_ROOT: Final = "\1"
_UNKNOWN: Final = "\2"


def read_tox_ini(files: Files) -> Iterator[Source]:
    """The environments of ``envlist`` that run tests, or else any other that does, the plainest first."""
    legacy = table(files.pyproject, "tool", "tox").get("legacy_tox_ini")
    texts = [
        ("tox.ini", (files.read("tox.ini") or b"").decode(errors="replace")),
        ("setup.cfg", (files.read("setup.cfg") or b"").decode(errors="replace")),
        ("pyproject.toml", legacy if isinstance(legacy, str) else ""),
    ]
    for path, text in texts:
        parser = configparser.RawConfigParser(strict=False)
        try:
            read_ini(parser, text if len(text) <= _MOST_CHARACTERS else "")
        except configparser.Error:
            continue  # tox reports it
        if any(section.startswith("testenv") for section in parser.sections()):
            yield from _Tox(files, path, parser).sources()


def main_first(names: Sequence[str]) -> list[str]:
    """Environments in an order: those for tests as such first, then those for this Python or none, then as written.

    >>> main_first(["lint", "py27-x", "py27", "py3", "tests"])
    ['py3', 'tests', 'py27', 'lint', 'py27-x']
    """
    return sorted(dict.fromkeys(names), key=lambda name: (not is_main(name), _is_foreign(name)))


def is_main(name: str) -> bool:
    """Whether the name of an environment says only a Python and that it runs tests."""
    return all(
        _PYTHON.fullmatch(each) or each in {"py", "python"} or kind_of(each) is SourceKind.TEST
        for each in name.split("-")
    )


def distinct(sources: Sequence[Source]) -> list[Source]:
    """The first of the sources that say the same."""
    different = {replace(each, place=""): each for each in reversed(sources)}
    return [each for each in sources if different[replace(each, place="")] is each]


def _is_foreign(name: str) -> bool:
    return any(_PYTHON.fullmatch(each) and each not in _OWN_PYTHON for each in name.split("-"))


def expand(text: str) -> list[str]:
    """Expand braces as tox does.

    >>> expand("py{39,3{10-12}}-{a,b}, docs")
    ['py39-a', 'py39-b', 'py310-a', 'py310-b', 'py311-a', 'py311-b', 'py312-a', 'py312-b', 'docs']
    """
    found: list[str] = []
    for each in _split(text):
        found += _alternatives(each)
        if len(found) > _MOST_ENVIRONMENTS:
            break
    return found[:_MOST_ENVIRONMENTS]


def _split(text: str, *, empty: bool = False) -> Iterator[str]:
    """The parts between commas and line ends outside of braces; ``empty`` ones too if they count."""
    depth, part = 0, ""
    for character in text + ",":
        depth += (character == "{") - (character == "}")
        if character in ",\n" and depth <= 0:
            if part.strip() or empty:
                yield part.strip()
            part = ""
        else:
            part += character


def _alternatives(text: str) -> list[str]:
    parts: list[list[str]] = []
    rest, depth, start = text, 0, 0
    for place, character in enumerate(text):
        if character == "{":
            if depth == 0:
                parts.append([text[start:place]])
                start = place + 1
            depth += 1
        elif character == "}" and depth:
            depth -= 1
            if depth == 0:
                inner = text[start:place]
                limits = _RANGE.fullmatch(inner)
                parts.append(
                    [str(each) for each in range(int(limits[1]), min(int(limits[2]), int(limits[1]) + 99) + 1)]
                    if limits
                    else [each for part in _split(inner, empty=True) for each in _alternatives(part)]
                )
                start = place + 1
    rest = text[start:]
    parts.append([rest])
    return ["".join(each).replace(" ", "") for each, _ in zip(product(*parts), range(_MOST_ENVIRONMENTS), strict=False)]


class _Tox:
    """One file with sections for environments."""

    def __init__(self, files: Files, path: str, parser: configparser.RawConfigParser) -> None:
        self.files, self.path, self.parser = files, path, parser
        self.own: dict[str, str] = {}
        for section in parser.sections():
            if section.startswith("testenv:"):
                self.own |= dict.fromkeys(expand(section.removeprefix("testenv:")), section)

    def sources(self) -> Iterator[Source]:
        head = "tox:tox" if self.path == "setup.cfg" else "tox"
        listed = self.parser.get(head, "envlist", fallback="") or self.parser.get(head, "env_list", fallback="")
        names = expand(listed) or ["py"]
        for group in (names, [*self.own, "py"]):
            found = {name: source for name in main_first(group) if (source := self._source(name))}
            if found:
                main = [source for name, source in found.items() if is_main(name)]
                yield from distinct(main or list(found.values()))
                return

    def _source(self, name: str) -> Source | None:
        """An environment if it runs tests."""
        commands = [self._words(line) for line in _joined(self._lines(name, "commands"))]
        run = next((each for each in commands if runs_tests(each[0])), None)
        if run is None:
            return None
        folder = "".join(self._lines(name, "changedir") or self._lines(name, "change_dir"))
        # A folder of tox's own is outside of the project, and has become empty or absolute.
        inside = bool(folder.strip("./ ")) and not folder.startswith("/")
        call = None if inside else read_call(run[0], defaults=run[1])
        listed = read_lines(self.files, self._lines(name, "deps"))
        groups = _names(self._lines(name, "dependency_groups"))
        listed.requires += read_lines(self.files, resolve_known(self.files, groups)).requires
        listed.extras += _names(self._lines(name, "extras"))
        place = f"the environment {name} in {self.path}"
        return listed.source(place, SourceKind.RUN, call=call, variables=self._variables(name))

    def _variables(self, name: str) -> Variables:
        lines = self._marked(name, "set_env") or self._marked(name, "setenv")
        pairs = (line.replace(_ROOT, PROJECT).partition("=")[::2] for line in lines)
        return usable((key.strip(), value.strip()) for key, value in pairs)

    def _lines(self, name: str, key: str) -> list[str]:
        """The lines of a key that apply to an environment. What only tox could know is empty in them."""
        return [each.replace(_ROOT, ".").replace(_UNKNOWN, "") for each in self._marked(name, key)]

    def _marked(self, name: str, key: str, *, section: str = "", depth: int = 0) -> list[str]:
        """The lines of a key that apply to an environment, with references to other sections resolved."""
        sections = [section] if section else [self.own.get(name, "testenv"), "testenv"]
        where = next((each for each in sections if self.parser.has_option(each, key)), None)
        if where is None or depth > len("deep"):
            return []
        found: list[str] = []
        for line in self.parser.get(where, key).splitlines():
            condition = _CONDITION.fullmatch(line.strip())
            if condition is not None and not _applies(condition["factors"], name):
                continue
            content = condition["content"] if condition is not None else line.strip()
            if reference := re.fullmatch(r"\{\[([^\[\]{}]+)\]([\w-]+)\}", content):
                found += self._marked(name, reference[2], section=reference[1], depth=depth + 1)
            elif content:
                found.append(self._substituted(name, content, depth))
        return found

    def _substituted(self, name: str, text: str, depth: int) -> str:
        """Replace what is in braces, from the inside out."""

        def value(found: re.Match[str]) -> str:
            kind, _, rest = found[1].partition(":")
            if reference := re.fullmatch(r"\[([^\[\]]+)\]([\w-]+)", found[1]):
                return " ".join(self._marked(name, reference[2], section=reference[1], depth=depth + 1))
            if kind in {"toxinidir", "tox_root"}:
                return _ROOT
            if kind == "posargs":
                return f"{_REPLACEABLE}{rest}{_REPLACEABLE}"
            if kind == "env":
                return rest.partition(":")[2] or _UNKNOWN
            plain = {
                "envpython": "python",
                "env_python": "python",
                "/": "/",
                ":": ":",
                "envname": name,
                "env_name": name,
            }
            return plain.get(kind or found[1], _UNKNOWN)

        for _ in range(_MOST_ENVIRONMENTS):
            text, count = _INNERMOST.subn(value, text)
            if not count:
                break
        return text

    @staticmethod
    def _words(line: str) -> tuple[list[str], list[str]]:
        """The words of a command, and those that a user of tox may replace."""
        fixed, replaceable = line.split(_REPLACEABLE)[::2], line.split(_REPLACEABLE)[1::2]
        try:
            plain = shlex.split(" ".join(fixed).removeprefix("-").lstrip())
            return settled(plain, shlex.split(" ".join(replaceable)))
        except ValueError:
            return [], []


def _applies(condition: str, name: str) -> bool:
    """Whether a condition such as ``py39,!lint-a`` holds for the factors of an environment."""
    factors = set(name.split("-")) | {name}
    return any(
        all((each.lstrip("!") in factors) is not each.startswith("!") for each in alternative.split("-") if each)
        for alternative in expand(condition)
    )


def _joined(lines: Sequence[str]) -> list[str]:
    """Commands, each on one line."""
    return "\n".join(lines).replace("\\\n", " ").split("\n") if lines else []


def _names(lines: Sequence[str]) -> list[str]:
    return [name for line in lines for name in re.split(r"[,\s]+", line) if name]
