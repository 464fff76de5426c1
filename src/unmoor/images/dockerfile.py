"""Parse a Dockerfile: its stages, what they are built from, and lines that a release should warn about.

Nothing is run. Only ``ARG`` in ``FROM`` is expanded, as the builder does. ``dockerfile-parse`` does not fit:
it does not support here-documents, and it writes the file. Source: the Dockerfile reference.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from unmoor.errors import ConfigError
from unmoor.util.text import clean

LIMIT = 1_000_000
_DIRECTIVE = re.compile(r"#\s*(?P<name>[A-Za-z]+)\s*=\s*(?P<value>\S+)\s*")
_HEREDOC = re.compile(r"<<-?\s*([\"']?)([A-Za-z_][A-Za-z0-9_]*)\1")
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?:(?P<sort>:?[-+])(?P<other>[^}]*))?\}|(?P<plain>\w+))")
_FLAG = re.compile(r"--[a-z]+(?:=\S*)?\s+")
_NEAR = 0.5
# Shell commands that build a project, and commands that install by name from an index.
_BUILDS = re.compile(
    r"\bpython[0-9.]*\s+-m\s+build\b|\b(?:uv|poetry|hatch|pdm|flit)\s+(?:build|sync|install)\b"
    r"|\bsetup\.py\s+(?:install|develop|bdist_wheel|sdist|build)\b"
    r"|\bpip[0-9.]*\s+(?:install|wheel)\b[^;&|]*?\s(?:-e\s*|--editable[ =])?[\"']?\.(?:/|\[[^\]]*\])?[\"']?(?=\s|$)"
)
_INSTALLS = re.compile(r"\bpip[0-9.]*\s+install\b(?P<words>[^;&|]*)|\buv\s+tool\s+install\b(?P<tool>[^;&|]*)")


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction: its first line (from 1), its keyword in capitals, its arguments joined to one line.

    ``stage`` is the number of its stage (from 0; -1 before the first). ``body`` holds its here-documents.
    """

    line: int
    keyword: str
    words: str
    stage: int
    body: str = ""


@dataclass(frozen=True, kw_only=True)
class DockerfileStage:
    """One ``FROM``: its name (empty if it has none), and its base image with arguments expanded."""

    number: int
    name: str
    base: str
    platform: str
    line: int


@dataclass(frozen=True, kw_only=True)
class DockerfileFinding:
    """A warning about one line."""

    line: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Dockerfile:
    """A parsed Dockerfile; ``path`` is its name in messages."""

    path: str
    instructions: tuple[Instruction, ...]
    stages: tuple[DockerfileStage, ...]

    @classmethod
    def parse(cls, data: bytes, path: str) -> Dockerfile:
        """Parse a Dockerfile. Raises `ConfigError` if it has no stage; everything else is left to the builder."""
        if len(data) > LIMIT:
            raise ConfigError(f"the Dockerfile is longer than {LIMIT} bytes", where=path, next_step="shorten it")
        instructions = tuple(_instructions(data.decode("utf-8", errors="replace")))
        stages = tuple(_stages(instructions))
        if not stages:
            raise ConfigError("the Dockerfile has no FROM", where=path, next_step="add one, or name another Dockerfile")
        return cls(path=path, instructions=instructions, stages=stages)

    def stage(self, name: str) -> DockerfileStage:
        """Return the stage that a target names; the last one for an empty name.

        Raises `ConfigError`, with a suggestion, if there is no such stage.
        """
        if not name:
            return self.stages[-1]
        found = next((stage for stage in self.stages if name.lower() in {stage.name, str(stage.number)}), None)
        if found is None:
            known = [stage.name for stage in self.stages if stage.name]
            near = difflib.get_close_matches(name.lower(), known, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"its stages: {', '.join(known) or 'none has a name'}"
            raise ConfigError(
                f"it has no stage {name!r}; {hint}", where=self.path, next_step="correct targets, or the Dockerfile"
            )
        return found

    def base_of(self, name: str) -> str:
        """Return the image at the bottom of a target's stages: ``scratch``, or a reference."""
        stage = self.stage(name)
        while (below := self._below(stage)) is not None:
            stage = below
        return stage.base

    def _below(self, stage: DockerfileStage) -> DockerfileStage | None:
        """Return the stage that a stage is built on; ``None`` if it is built on an image."""
        earlier = self.stages[: stage.number]
        return next((each for each in reversed(earlier) if each.name and each.name == stage.base.lower()), None)

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
        rated = [(_similarity(each.words, rest), each.line) for each in candidates]
        best, line = max(rated, key=lambda each: (each[0], -each[1]), default=(0.0, 0))
        return line if best >= _NEAR else 0

    def findings(self, project: str) -> tuple[DockerfileFinding, ...]:
        """Find lines that build the project a second time, or install it from an index instead of ``dist/``."""
        return tuple(
            DockerfileFinding(line=each.line, text=text)
            for each in self.instructions
            if each.keyword == "RUN" and (text := _finding(f"{each.words}\n{each.body}", project))
        )


def _similarity(written: str, printed: str) -> float:
    """Rate from 0 to 1 how similar a written instruction is to a printed one; arguments match any text."""
    apart = _VARIABLE.sub("\0", written).split("\0")
    if re.fullmatch(".*".join(re.escape(part) for part in apart), printed):
        return 1.0
    return difflib.SequenceMatcher(None, written, printed).ratio()


def _finding(words: str, project: str) -> str:
    if _BUILDS.search(words):
        return "this builds the project a second time, so the image does not install the tested wheel"
    for match in _INSTALLS.finditer(words):
        given = match["words"] or match["tool"] or ""
        if "--no-index" in given.split():
            continue
        names = (re.match(r"[\"']?([A-Za-z0-9][A-Za-z0-9._-]*)", word) for word in given.split())
        if any(name and canonicalize_name(name[1]) == canonicalize_name(project) for name in names):
            return f"this installs {clean(project)} from an index, which does not have this version yet"
    return ""


def _instructions(text: str) -> Iterator[Instruction]:
    """Join continued lines, drop comments and blank lines, collect the bodies of here-documents."""
    lines = text.replace("\r\n", "\n").split("\n")
    escape = _escape(lines)
    parts: list[str] = []
    body: list[str] = []
    terminators: list[str] = []
    first, stage = 0, -1
    for number, raw in enumerate([*lines, ""], 1):
        line, ends = raw.strip(), number > len(lines)
        if terminators and not ends:
            body.append(line)
            if line == terminators[0]:
                terminators.pop(0)
            if terminators:
                continue
        elif line and not line.startswith("#"):
            first = first if parts else number
            parts.append(line.removesuffix(escape).strip())
            terminators = [] if line.endswith(escape) else _terminators(parts)
            if terminators or line.endswith(escape):
                continue
        elif not ends:
            continue
        if parts:
            keyword, _, words = " ".join(filter(None, parts)).partition(" ")
            stage += keyword.upper() == "FROM"
            yield Instruction(
                line=first, keyword=keyword.upper(), words=words.strip(), stage=stage, body="\n".join(body)
            )
        parts, body = [], []


def _terminators(parts: list[str]) -> list[str]:
    """Return the words that end the here-documents of an instruction."""
    if parts[0].partition(" ")[0].upper() not in {"RUN", "COPY", "ADD"}:
        return []
    return [word for _, word in _HEREDOC.findall(" ".join(parts))]


def _escape(lines: list[str]) -> str:
    """Return the character that continues a line: a backslash, unless a directive at the top sets another."""
    for line in lines:
        match = _DIRECTIVE.fullmatch(line.strip())
        if match is None:
            break
        if match["name"].lower() == "escape":
            return match["value"]
    return "\\"


def _stages(instructions: tuple[Instruction, ...]) -> Iterator[DockerfileStage]:
    arguments: dict[str, str] = {}
    for each in instructions:
        if each.keyword == "ARG" and each.stage < 0:
            for name, value in re.findall(r"(\w+)=(\"[^\"]*\"|'[^']*'|\S*)", each.words):
                arguments[name] = expand(value.strip("\"'"), arguments)
        elif each.keyword == "FROM":
            flags = "".join(re.findall(_FLAG, each.words))
            platform = flags.partition("--platform=")[2].split(" ")[0]
            base, _, rest = _FLAG.sub("", each.words).partition(" ")
            alias = rest.split()
            name = alias[1].lower() if len(alias) > 1 and alias[0].lower() == "as" else ""
            base = expand(base.strip("\"'"), arguments)
            yield DockerfileStage(
                number=each.stage, name=name, base=base, platform=expand(platform, arguments), line=each.line
            )


def expand(text: str, arguments: Mapping[str, str]) -> str:
    """Expand arguments in the forms that ``FROM`` supports: ``$A``, ``${A}``, ``${A:-default}``, ``${A:+other}``."""

    def value(match: re.Match[str]) -> str:
        held = arguments.get(match["braced"] or match["plain"], "")
        other = match["other"] or ""
        if (match["sort"] or "").endswith("+"):
            return other if held else ""
        return held or other

    return _VARIABLE.sub(value, text)
