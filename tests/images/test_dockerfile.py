"""Parsed Dockerfiles: stages, bases, the line of a step, and findings."""

from __future__ import annotations

import pytest

from unmoor.errors import ConfigError
from unmoor.images.dockerfile import Dockerfile
from unmoor.images.dockerfile_words import expand

FULL = r"""
# syntax=docker/dockerfile:1
# a comment
ARG BASE=python:3.11
ARG FLAVOR="slim"
FROM --platform=$BUILDPLATFORM ${BASE}-${FLAVOR:-full} AS Builder
RUN one && \
    # inside
    two \

    --three
COPY <<EOF /etc/motd
FROM nowhere
EOF
RUN <<-'A' cat && <<B
pip install .
A
B

FROM builder as production
ADD x /y
  ENTRYPOINT ["demo"]
FROM scratch
COPY --from=production /y /y
"""


def read(text: str) -> Dockerfile:
    """Parse a text."""
    return Dockerfile.parse(text.encode(), "Dockerfile")


def test_instructions_know_their_lines() -> None:
    """Continued lines are one instruction; comments, blank lines and here-documents are not instructions."""
    assert [(each.line, each.keyword, each.stage) for each in read(FULL).instructions] == [
        (4, "ARG", -1),
        (5, "ARG", -1),
        (6, "FROM", 0),
        (7, "RUN", 0),
        (12, "COPY", 0),
        (15, "RUN", 0),
        (20, "FROM", 1),
        (21, "ADD", 1),
        (22, "ENTRYPOINT", 1),
        (23, "FROM", 2),
        (24, "COPY", 2),
    ]
    assert read(FULL).instructions[3].words == "one && two --three"


def test_stages_and_bases() -> None:
    """A stage has its base with arguments expanded; the base of a target is the image below all its stages."""
    file = read(FULL)
    assert [(stage.name, stage.base, stage.line) for stage in file.stages] == [
        ("builder", "python:3.11-slim", 6),
        ("production", "builder", 20),
        ("", "scratch", 23),
    ]
    assert file.stage("").number == 2
    assert file.stage("Production").number == 1
    assert file.stage("0").name == "builder"
    assert file.base_of("production") == "python:3.11-slim"
    assert file.base_of("") == "scratch"


def test_a_stage_that_is_its_own_name() -> None:
    """A stage with the name of its base is built on that image, not on itself."""
    assert read("FROM python AS python\nFROM python AS x\n").base_of("x") == "python"


def test_unknown_stage() -> None:
    """A misspelt stage is refused with the nearest one."""
    with pytest.raises(ConfigError, match=r'no stage \'producton\'; did you mean "production"\?'):
        read(FULL).stage("producton")
    with pytest.raises(ConfigError, match="its stages: none has a name"):
        read("FROM scratch\n").stage("zebra")


@pytest.mark.parametrize("text", ["", "# nothing\n", "RUN x\n", "\x00\xff"])
def test_no_stage_at_all(text: str) -> None:
    """A file without FROM is refused."""
    with pytest.raises(ConfigError, match="no FROM"):
        read(text)


def test_length_limit() -> None:
    """A file above the size limit is refused."""
    with pytest.raises(ConfigError, match="longer than"):
        read("FROM x\n" + "#" * 1_000_001)


def test_another_escape() -> None:
    """The escape directive counts only at the top."""
    assert [each.words for each in read("# escape=`\nFROM x\nRUN a `\n b\\\n").instructions] == ["x", "a b\\"]
    assert [each.line for each in read("FROM x\n# escape=`\nRUN a \\\n b").instructions] == [1, 3]


@pytest.mark.parametrize(
    ("step", "line"),
    [
        ("[builder 2/4] RUN one && two --three", 7),
        ("[builder 2/4] RUN one &&     two     --three", 7),
        ("[production 1/1] ADD x /y", 21),
        ("[stage-2 1/1] COPY --from=production /y /y", 24),
        ("[linux/386 stage-2 1/1] COPY --from=production /y /y", 24),
        ("[builder 2/4] RUN something else entirely, long enough to be unlike", 0),
        ("[internal] load metadata for python:3.11", 0),
        ("[builder 9/9] WORKDIR /x", 0),
        ("RUN one && two --three", 7),
        ("", 0),
    ],
)
def test_the_line_of_a_step(step: str, line: int) -> None:
    """A step that the builder prints is found by its text, first in its own stage."""
    assert read(FULL).line_of(step) == line


def test_the_line_of_a_step_with_expanded_arguments() -> None:
    """The builder expands arguments before it prints a step."""
    file = read("FROM x AS a\nARG WHEEL\nCOPY dist/${WHEEL} /dist/\nCOPY other /\n")
    assert file.line_of("[a 1/2] COPY dist/demo-1.0-py3-none-any.whl /dist/") == 3


@pytest.mark.parametrize(
    ("words", "finding"),
    [
        ("pip install .", "second time"),
        ("pip install --no-cache-dir '.[cli]'", "second time"),
        ("pip3 install -e .", "second time"),
        ("python -m pip install ./", "second time"),
        ("python -m build", "second time"),
        ("uv sync --frozen", "second time"),
        ("apt-get update && poetry build", "second time"),
        ("python setup.py install", "second time"),
        ("pip install My_Demo", "from an index"),
        ("pip install -U 'my.demo[cli]==1.0' rich", "from an index"),
        ("pip install rich && pip install my-demo", "from an index"),
        ("uv tool install my-demo", "from an index"),
        ("pip install --no-index --find-links /dist my-demo", ""),
        ("pip install /dist/*.whl", ""),
        ("pip install -r requirements.txt", ""),
        ("pip install my-demo-extra", ""),
        ("pip install rich; ls .", ""),
        ("pip install build && ls", ""),
        ("echo my-demo", ""),
    ],
)
def test_findings(words: str, finding: str) -> None:
    """A line that rebuilds the project or installs it from an index is reported; one with the tested wheel is not."""
    findings = read(f"FROM x\n\nRUN {words}\n").findings("my-demo")
    assert [(each.line, finding in each.text) for each in findings] == ([(3, True)] if finding else [])


def test_findings_in_here_documents() -> None:
    """The body of a here-document counts."""
    assert [each.line for each in read(FULL).findings("demo")] == [15]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A/$B", "1/"),
        ("${A}x", "1x"),
        ("${B:-y}", "y"),
        ("${B-y}", "y"),
        ("${A:-y}", "1"),
        ("${A:+y}", "y"),
        ("${B:+y}", ""),
        ("$$", ""),
        ("$", "$"),
        ("a\\$A", "a$A"),
        ("'$A'\"$A\"", "$A1"),
        ('"\\a\\$A"', "\\a$A"),
        ("${E-y}${E:-y}", "y"),
        ("${E+y}${E:+y}", "y"),
        ("${A?no}${E?no}", "1"),
        ("${B:-${A:+${V#*-}}}", "slim-book"),
        ("${V%-slim}", "3.12-slim-book"),
        ("${V%-slim*}", "3.12"),
        ("${V%-*}", "3.12-slim"),
        ("${V%%-*}", "3.12"),
        ("${V#*-}", "slim-book"),
        ("${V##*-}", "book"),
        ("${V#?.}", "12-slim-book"),
        ("${V#[0-9]}", "3.12-slim-book"),
        ("${V/-/_}", "3.12_slim-book"),
        ("${V//-/_}", "3.12_slim_book"),
        ("${V/-*-/+}", "3.12+book"),
        ("${V//?/x}", "xxxxxxxxxxxxxx"),
        ("${V//b*/}", "3.12-slim-"),
        ("${V///x}", "x3x.x1x2x-xsxlxixmx-xbxoxoxkx"),
        ("${P/\\//:}", "a:b/a*c"),
        ("${P%\\*c}", "a/b/a"),
        ("${P//a\\*/q}", "a/b/qc"),
        ("${U%?}", "übe"),
        ("${B#*}${B/x/y}", ""),
    ],
)
def test_arguments_are_expanded(text: str, expected: str) -> None:
    """Arguments expand as the builder expands them in FROM: recorded from BuildKit's own lexer of August 2026."""
    assert expand(text, {"A": "1", "E": "", "V": "3.12-slim-book", "P": "a/b/a*c", "U": "über"}) == expected


@pytest.mark.parametrize(
    "text",
    [
        "${",
        "${}",
        "${A",
        "${:-a}",
        "${A:x}",
        "${A:#x}",
        "${A@}",
        "'a",
        '"a',
        "${B?no}",
        "${E:?no}",
        "${V%\\a}",
        "${V/a}",
    ],
)
def test_arguments_that_the_builder_refuses(text: str) -> None:
    """What the builder cannot expand is refused with the line and the reason, before anything is built."""
    with pytest.raises(ValueError, match=r"."):
        expand(text, {"A": "1", "E": "", "V": "3.12"})
    with pytest.raises(ConfigError, match="the builder cannot expand") as caught:
        read(f"ARG A=1\nARG E=\nARG V=3.12\nFROM {text}\n")
    assert "line 4" in caught.value.where


@pytest.mark.parametrize(
    ("text", "args", "platform", "base"),
    [
        ("ARG V=3.11\nFROM python:$V\n", {"V": "3.12"}, "", "python:3.12"),
        ("ARG V\nFROM python:${V:-3.13}\n", {"V": "3.12"}, "", "python:3.12"),
        ("ARG V\nFROM python:${V:-3.13}\n", {}, "", "python:3.13"),
        ("ARG V=3.12-slim W=x\nFROM python:${V%-slim}-$W\n", {"W": "y"}, "", "python:3.12-y"),
        ("ARG A=a B=\"b c\" C='$A'\nFROM ${B/?c/}$A$C\n", {}, "", "ba$A"),
        ("FROM python:$V\n", {"V": "3.12"}, "", "python:"),
        ("ARG A=$TARGETARCH\nFROM a-$A-$TARGETVARIANT\n", {}, "linux/arm/v7", "a-arm-v7"),
        ("FROM --platform=$BUILDPLATFORM a:$TARGETOS\n", {"TARGETOS": "x"}, "linux/amd64", "a:x"),
        ("FROM\t--platform=\"linux/386\"\t'a:1'\tas\tX\nFROM x\n", {}, "", "a:1"),
        ("ARG V=x\nFROM a\nARG V=y\nFROM b:$V\n", {}, "", "b:x"),
        ("# escape=`\nARG V=a`$b\nFROM ${V}`-1 `\n AS c\n", {}, "", "a$b-1"),
        ("ARG V=1 # none\nFROM a:$V\n", {}, "", "a:1"),
    ],
)
def test_the_base_with_arguments(text: str, args: dict[str, str], platform: str, base: str) -> None:
    """Build arguments replace the defaults of declared arguments; a platform gives the arguments it names."""
    file = Dockerfile.parse(text.encode(), "Dockerfile", args=args, platform=platform)
    assert file.base_of("") == base


def test_a_target_by_number() -> None:
    """BuildKit finds a stage by its name, and the last one without a name."""
    file = read("FROM one AS First\nFROM two\nFROM three\n")
    assert [file.target_of(name) for name in ("", "FIRST", "0", "2")] == ["", "first", "first", ""]
    with pytest.raises(ConfigError, match="the stage 1 has no name") as caught:
        file.target_of("1")
    assert caught.value.where == "Dockerfile, line 2"


def test_several_stages_of_one_name() -> None:
    """A target is the last stage of that name; a base is the last one above, or the image if there is none."""
    file = read("FROM one AS a\nFROM a AS A\nFROM two AS a\nFROM a\n")
    assert file.stage("A").number == 2
    assert [file.base_of(str(number)) for number in range(4)] == ["one", "one", "two", "two"]
