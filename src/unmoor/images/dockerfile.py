"""Parse a Dockerfile: its stages, what they are built from, and lines that a release should warn about.

Nothing is run. Only ``ARG`` in ``FROM`` is expanded, as the builder does. No library fits: ``dockerfile-parse`` does
not support here-documents and writes the file; ``dockerfile``, which is Docker's own parser, has wheels for few
platforms, so only the tests use it; ``e2b-dockerfile-utils`` overlooks here-documents behind ``ONBUILD``, and some
directives and patterns of variables take it a time that grows much faster than the file.

Anybody who can push a commit writes this file, so no pattern here looks at a character more than a few times: a
repetition is possessive, or what follows it cannot begin inside it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from packaging.utils import canonicalize_name

from unmoor import advice
from unmoor.errors import ConfigError
from unmoor.images.dockerfile_syntax import Instruction, escape_of, instructions, split_flags
from unmoor.images.dockerfile_words import expand, quoted_words, unquoted
from unmoor.util.text import clean, list_some

LIMIT = 1_000_000
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w++)(?:(?P<sort>:?[-+])(?P<other>[^{}]*+))?\}|(?P<plain>\w++))")
# The longest value of an argument. Each can be several times as long as the one before.
_LONGEST_VALUE = 4_096
_NEAR = 0.5
# As much of two instructions as is compared, and as many stages as are suggested.
_COMPARED = 200
_SUGGESTED = 1_000
# Shell commands that build a project, and commands that install by name from an index.
_BUILDS = re.compile(
    r"\bpython[0-9.]*+\s++-m\s++build\b|\b(?:uv|poetry|hatch|pdm|flit)\s++(?:build|sync|install)\b"
    r"|\bsetup\.py\s++(?:install|develop|bdist_wheel|sdist|build)\b"
)
_PIP = re.compile(r"\bpip[0-9.]*+\s++(?:install|wheel)\b(?P<words>[^;&|]*+)")
_HERE = re.compile(r"\s(?:-e\s*+|--editable[ =])?[\"']?\.(?:/|\[[^\][]*+\])?[\"']?(?=\s|$)")
_INSTALLS = re.compile(r"\bpip[0-9.]*+\s++install\b(?P<words>[^;&|]*+)|\buv\s++tool\s++install\b(?P<tool>[^;&|]*+)")


class DockerfileStage(msgspec.Struct, frozen=True, kw_only=True):
    """One ``FROM``: its name (empty if it has none), and its base image with arguments expanded."""

    number: int
    name: str
    base: str
    platform: str
    line: int


class DockerfileFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A warning about one line."""

    line: int
    text: str


class Dockerfile(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed Dockerfile; ``path`` is its name in messages."""

    path: str
    instructions: tuple[Instruction, ...]
    stages: tuple[DockerfileStage, ...]

    @classmethod
    def parse(cls, data: bytes, path: str, *, args: Mapping[str, str] | None = None, platform: str = "") -> Dockerfile:
        """Parse a Dockerfile that is built with these arguments for a platform, such as ``linux/arm64``.

        Raises `ConfigError` if it has no stage, a here-document without an end, or a ``FROM`` that cannot be expanded;
        everything else is left to the builder.
        """
        if len(data) > LIMIT:
            raise ConfigError(
                f"the Dockerfile is longer than {LIMIT} bytes", where=path, next_step=advice.SHORTEN_DOCKERFILE()
            )
        text = data.decode("utf-8", errors="replace")
        found = tuple(instructions(text, path))
        stages = tuple(_stages(found, path, escape_of(text), args or {}, platform))
        if not stages:
            raise ConfigError("the Dockerfile has no FROM", where=path, next_step=advice.ADD_FROM())
        return cls(path=path, instructions=found, stages=stages)

    def stage(self, name: str) -> DockerfileStage:
        """Return the stage that a target names; the last one for an empty name.

        Raises `ConfigError`, with a suggestion, if there is no such stage.
        """
        if not name:
            return self.stages[-1]
        # The builder takes the last of several stages with one name.
        found = next((stage for stage in self.stages[::-1] if name.lower() in {stage.name, str(stage.number)}), None)
        if found is None:
            known = [stage.name for stage in self.stages if stage.name]
            near = difflib.get_close_matches(name.lower(), known[:_SUGGESTED], n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"its stages: {list_some(known) or 'none has a name'}"
            raise ConfigError(f"it has no stage {name!r}; {hint}", where=self.path, next_step=advice.CORRECT_TARGETS())
        return found

    def target_of(self, name: str) -> str:
        """Return what to ask the builder for: BuildKit finds a stage by its name only, and the last one without any.

        Raises `ConfigError` if there is no such stage, or if it is named by a number and has no name.
        """
        stage = self.stage(name)
        if not name.isdecimal() or stage.name:
            return stage.name if name else ""
        if stage is self.stages[-1]:
            return ""
        raise ConfigError(
            f"the stage {name} has no name, and builders find stages by name",
            where=f"{self.path}, line {stage.line}",
            next_step=advice.NAME_THE_STAGE(),
        )

    def base_of(self, name: str) -> str:
        """Return the image at the bottom of a target's stages: ``scratch``, or a reference."""
        stage = self.stage(name)
        while (below := self._below(stage)) is not None:
            stage = below
        return stage.base

    def _below(self, stage: DockerfileStage) -> DockerfileStage | None:
        """Return the stage that a stage is built on; ``None`` if it is built on an image."""
        base = stage.base.lower()
        earlier = (self.stages[number] for number in range(stage.number - 1, -1, -1))
        return next((each for each in earlier if each.name and each.name == base), None)

    def line_of(self, step: str) -> int:
        """Find the line of a step as the builder prints it (``[builder 2/4] RUN false``); 0 if there is none.

        The builder may have expanded arguments, so the most similar instruction with that keyword wins. The
        legacy builder names no stage.
        """
        prefix, _, words = step.strip().partition("] ") if step.startswith("[") else ("", "", step)
        prefix = prefix.removeprefix("[")
        keyword, _, rest = " ".join(words.split()).partition(" ")
        candidates = [each for each in self.instructions if each.keyword == keyword.upper()]
        stage = prefix.rpartition(" ")[0].rpartition(" ")[2]
        named = {each.number for each in self.stages if stage in {each.name, f"stage-{each.number}"}}
        candidates = [each for each in candidates if each.stage in named] or candidates
        return _most_similar(candidates, rest)

    def findings(self, project: str) -> tuple[DockerfileFinding, ...]:
        """Find lines that build the project a second time, or install it from an index instead of ``dist/``."""
        return tuple(
            DockerfileFinding(line=each.line, text=text)
            for each in self.instructions
            if each.keyword == "RUN" and (text := _finding(f"{each.words}\n{each.body}", project))
        )


def _most_similar(candidates: Sequence[Instruction], printed: str) -> int:
    """Return the line of the first instruction that a printed one may be, or of the most similar one, or 0."""
    exact = next((each for each in candidates if _may_be(each.words, printed)), None)
    if exact is not None:
        return exact.line
    best, line = 0.0, 0
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(printed[:_COMPARED])
    for each in candidates:
        matcher.set_seq1(each.words[:_COMPARED])
        # Each takes longer than the one before, and none is smaller than the next.
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best and (ratio := matcher.ratio()) > best:
            best, line = ratio, each.line
    return line if best >= _NEAR else 0


def _may_be(written: str, printed: str) -> bool:
    """Whether a printed instruction is a written one, in which each argument stands for any text."""
    first, *others = _VARIABLE.sub("\0", written).split("\0")
    if not others:
        return first == printed
    *inner, last = others
    at, end = len(first), len(printed) - len(last)
    if at > end or not printed.startswith(first) or not printed.endswith(last):
        return False
    for part in inner:
        at = printed.find(part, at, end) + len(part)
        if at < len(part):
            return False
    return True


def _finding(words: str, project: str) -> str:
    if _BUILDS.search(words) or any(_HERE.search(match["words"]) for match in _PIP.finditer(words)):
        return "this builds the project a second time, so the image does not install the tested wheel"
    for match in _INSTALLS.finditer(words):
        given = match["words"] or match["tool"] or ""
        if "--no-index" in given.split():
            continue
        names = (re.match(r"[\"']?([A-Za-z0-9][A-Za-z0-9._-]*)", word) for word in given.split())
        if any(name and canonicalize_name(name[1]) == canonicalize_name(project) for name in names):
            return f"this installs {clean(project)} from an index, which does not have this version yet"
    return ""


def _stages(
    found: Sequence[Instruction], path: str, escape: str, values: Mapping[str, str], platform: str
) -> Iterator[DockerfileStage]:
    """Yield the stages. Raises `ConfigError` for what the builder cannot expand, and for what becomes too long."""
    known = _of_platform(platform)
    known |= {name: value for name, value in values.items() if name in known}

    def expanded(text: str, line: int) -> str:
        try:
            value = expand(text[: _LONGEST_VALUE + 1], known, escape)
        except ValueError as error:
            raise ConfigError(
                f"the builder cannot expand {clean(text, 200)}: {clean(str(error), 200)}",
                where=f"{path}, line {line}",
                next_step=advice.CORRECT_EXPANSION(),
            ) from error
        if len(value) > _LONGEST_VALUE:
            raise ConfigError(
                f"a value is longer than {_LONGEST_VALUE:,} characters",
                where=f"{path}, line {line}",
                next_step=advice.SHORTEN_ARG(),
            )
        return value

    for each in found:
        if each.keyword == "ARG" and each.stage < 0:
            for word in quoted_words(each.text, escape):
                name, given, value = word[0].partition("=")
                if name in values:
                    known[name] = values[name]
                elif given:
                    known[name] = expanded(value, each.line)
        elif each.keyword == "FROM":
            flags, arguments = split_flags(each.text, escape)
            base, *alias = arguments.split() or [""]
            name = alias[1].lower() if len(alias) > 1 and alias[0].lower() == "as" else ""
            asked = next((unquoted(flag, escape) for flag in flags if flag.startswith("--platform=")), "")
            base, asked = expanded(base, each.line), expanded(asked.removeprefix("--platform="), each.line)
            yield DockerfileStage(number=each.stage, name=name, base=base, platform=asked, line=each.line)


def _of_platform(platform: str) -> dict[str, str]:
    """The arguments that every ``FROM`` knows. The builder's platform is taken to be the image's own."""
    system, _, rest = platform.partition("/")
    architecture, _, variant = rest.partition("/")
    parts = {"PLATFORM": platform, "OS": system, "OSVERSION": "", "ARCH": architecture, "VARIANT": variant}
    return {f"{prefix}{name}": value for prefix in ("TARGET", "BUILD") for name, value in parts.items()}
