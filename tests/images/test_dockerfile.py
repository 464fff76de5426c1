"""Dockerfiles, taken apart: stages, bases, the line of a step, and what a release should know about."""

from __future__ import annotations

import pytest

from unmoor.errors import ConfigError
from unmoor.images.dockerfile import Dockerfile, filled

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
    """Take a text apart."""
    return Dockerfile.parse(text.encode(), "Dockerfile")


def test_instructions_know_their_lines() -> None:
    """Continued lines are one instruction; comments, blank lines and here-documents are none."""
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
    """A stage knows its base with arguments filled in; the base of a target is an image, whatever lies between."""
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
    """A stage named as its base is built upon an image, not upon itself."""
    assert read("FROM python AS python\nFROM python AS x\n").base_of("x") == "python"


def test_unknown_stage() -> None:
    """A misspelt stage is refused with the nearest one."""
    with pytest.raises(ConfigError, match=r'no stage \'producton\' in it; did you mean "production"\?'):
        read(FULL).stage("producton")
    with pytest.raises(ConfigError, match="its stages: none has a name"):
        read("FROM scratch\n").stage("zebra")


@pytest.mark.parametrize("text", ["", "# nothing\n", "RUN x\n", "\x00\xff"])
def test_no_stage_at_all(text: str) -> None:
    """A file without FROM is no Dockerfile."""
    with pytest.raises(ConfigError, match="no FROM"):
        read(text)


def test_length_limit() -> None:
    """A file of endless length is not read."""
    with pytest.raises(ConfigError, match="longer than"):
        read("FROM x\n" + "#" * 1_000_001)


def test_another_escape() -> None:
    """The escape directive is followed, and only at the top."""
    assert [each.words for each in read("# escape=`\nFROM x\nRUN a `\n b\\\n").instructions] == ["x", "a b\\"]
    assert [each.line for each in read("FROM x\n# escape=`\nRUN a \\\n b").instructions] == [1, 3]


@pytest.mark.parametrize(
    ("told", "line"),
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
def test_the_line_of_a_step(told: str, line: int) -> None:
    """The step that the builder names is found by its words, in its stage first."""
    assert read(FULL).line_of(told) == line


def test_the_line_of_a_step_with_arguments_filled_in() -> None:
    """The builder fills arguments in before it tells a step."""
    file = read("FROM x AS a\nARG WHEEL\nCOPY dist/${WHEEL} /dist/\nCOPY other /\n")
    assert file.line_of("[a 1/2] COPY dist/demo-1.0-py3-none-any.whl /dist/") == 3


@pytest.mark.parametrize(
    ("words", "told"),
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
def test_remarks(words: str, told: str) -> None:
    """What builds the project again, or takes it from an index, is told with its line; the tested wheel is fine."""
    remarks = read(f"FROM x\n\nRUN {words}\n").remarks("my-demo")
    assert [(each.line, told in each.text) for each in remarks] == ([(3, True)] if told else [])


def test_remarks_on_here_documents() -> None:
    """The body of a here-document counts."""
    assert [each.line for each in read(FULL).remarks("demo")] == [15]


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
        ("$$", "$$"),
    ],
)
def test_arguments_are_filled_in(text: str, expected: str) -> None:
    """As the builder fills them into FROM."""
    assert filled(text, {"A": "1"}) == expected
