"""Dockerfiles that are hard to split into instructions, judged by Docker's own parser."""

from __future__ import annotations

from typing import Any

import pytest

from unmoor.errors import ConfigError
from unmoor.images.dockerfile import Dockerfile
from unmoor.images.dockerfile_syntax import instructions

# Each ends with the stage "last" if it is read rightly.
AWKWARD = {
    "tabs between words": "FROM\ta\tAS\tb\n",
    "many blanks": "FROM  \t a \v AS \f b   \n",
    "a byte order mark": "\ufeffFROM a\n",
    "a byte order mark and a directive": "\ufeff# escape=`\nFROM a\nRUN b `\n c\n",
    "keywords in any case": "from a as b\nRun c\nonBuild rUn d\n",
    "CRLF": "# syntax=docker/dockerfile:1\r\nFROM a\r\nRUN b \\\r\n  c\r\nRUN <<EOF\r\nFROM x\r\nEOF\r\n",
    "a here-string": 'FROM a\nRUN cat <<<"hello" > /x\n',
    "a here-string of a word": "FROM a\nRUN cat <<<EOF\n",
    "a shift": "FROM a\nRUN echo $((1<<N))\n",
    "a shift in quotes": "FROM a\nRUN python -c 'print(1 << x)'\n",
    "a shift in double quotes": 'FROM a\nRUN python -c "print(1<<x)"\n',
    "an escaped heredoc": "FROM a\nRUN echo \\<<EOF\n",
    "an odd quote before a heredoc": "FROM a\nRUN echo it's <<EOF\nRUN b\n",
    "a word before a heredoc": "FROM a\nRUN x<<EOF\n",
    "a heredoc": "FROM a\nRUN cat <<EOF\nFROM x\nEOF\n",
    "a heredoc of a file": "FROM a\nRUN 3<<EOF cat\nFROM x\nEOF\n",
    "a quoted heredoc": "FROM a\nCOPY <<'E F' /x\nFROM x\nE F\n",
    "a heredoc with quotes inside": 'FROM a\nRUN <<E"O"F\nFROM x\nEOF\n',
    "an escaped word": "FROM a\nRUN <<\\EOF\nFROM x\nEOF\n",
    "a variable as word": "FROM a\nRUN <<$A\nFROM x\n$A\n",
    "a redirection in the word": "FROM a\nRUN <<EOF>x\nEOF\nEOF>x\n",
    "two heredocs": "FROM a\nCOPY <<A <<B /x/\nFROM x\nB\nA\nFROM y\nB\n",
    "the same heredoc twice": "FROM a\nCOPY <<A <<A /x/\nFROM x\nA\nFROM y\nA\n",
    "an indented end": "FROM a\nRUN <<EOF\n EOF\n\tEOF\nEOF \nEOF\n",
    "an end with tabs": "FROM a\nRUN <<-EOF\n\tFROM x\n EOF\n\t\tEOF\n",
    "a hyphen alone": "FROM a\nRUN <<- EOF\n",
    "a heredoc behind flags": "FROM a\nRUN --mount=type=bind,from=x <<EOF\nFROM y\nEOF\n",
    "a heredoc in a list": 'FROM a\nRUN ["sh", "-c", "cat <<EOF"]\n',
    "flags and a list": 'FROM a\nRUN --network=none ["cat", "<<EOF"]\n',
    "a list that is none": "FROM a\nRUN [ -f <<EOF ]\nFROM x\nEOF\n",
    "a heredoc behind a continuation": "FROM a\nRUN cat \\\n  # why\n\n  <<EOF\nFROM x\nEOF\n",
    "a heredoc that ends like a continuation": "FROM a\nRUN <<EOF\na \\\nEOF\n",
    "a heredoc when a parent is built on": "FROM a\nONBUILD RUN <<EOF\nFROM x\nEOF\n",
    "no heredoc in other instructions": "FROM a\nLABEL a=<<EOF\nENV b <<EOF\nCMD cat <<EOF\n",
    "a heredoc behind an array of the shell": "FROM a\nRUN echo ${a[@]} <<EOF\n",
    "a heredoc behind a part of a variable": "FROM a\nRUN echo ${a:0:1} <<EOF\nFROM x\nEOF\n",
    "a heredoc in a substitution": "FROM a\nRUN $(<<EOF cat)\nFROM x\nEOF\n",
    "a comment in a continuation": "FROM a\nRUN b \\\n# FROM x \\\n  # y\n  c\n",
    "blank lines in a continuation": "FROM a\nRUN b \\\n\n   \n  c\n",
    "blanks behind the escape": "FROM a\nRUN b \\  \t\n  FROM x\n",
    "an escaped escape": "FROM a\nRUN b \\\\\n",
    "an escape alone": "FROM a\n\\\nRUN b\n",
    "an escape and a comment": "FROM a\nRUN b \\\n  c # \\\n  FROM x\n",
    "another escape": "# escape=`\nFROM a\nRUN dir C:\\\nRUN b `\n FROM x\n",
    "an escape behind a comment": "# hello\n# escape=`\nFROM a\nRUN b `\n",
    "an escape behind a blank line": "\n# escape=`\nFROM a\nRUN b `\n",
    "directives with blanks": "  #  SYNTAX = x\n#\tEscape\t=\t`\t\nFROM a\nRUN b `\n FROM x\n",
    "an unknown directive": "# syntex=x\n# escape=`\nFROM a\nRUN b `\n",
    "a comment that is indented": "FROM a\n   # FROM x\nRUN b\n",
    "the end in a continuation": "FROM a\nRUN b \\\n",
    "an escape in a heredoc's word with another escape": "# escape=`\nFROM a\nRUN <<`EOF\nFROM x\n`EOF\n",
    "arguments first": "ARG A=1\nARG B\nFROM $A AS b\n",
    "stages named like images": "FROM python AS python\nFROM python AS scratch\nFROM scratch\n",
}


def judged(text: str) -> list[tuple[int, str]]:
    """The line and the keyword of each instruction, by Docker's own parser."""
    docker: Any = pytest.importorskip("dockerfile", reason="Docker's parser has no wheel for this platform")
    return [(each.start_line, each.cmd.upper()) for each in docker.parse_string(text)]


@pytest.mark.parametrize("what", AWKWARD)
def test_instructions(what: str) -> None:
    """Each instruction is on the line on which Docker finds it, and nothing in a here-document is one."""
    text = AWKWARD[what] + ("" if what == "the end in a continuation" else "FROM b AS last\n")
    found = [(each.line, each.keyword) for each in instructions(text, "Dockerfile")]
    assert found == judged(text)
    if what != "the end in a continuation":
        assert Dockerfile.parse(text.encode(), "Dockerfile").stage("last").base == "b"


@pytest.mark.parametrize(
    ("line", "is_document"),
    [("cat << EOF", True), ("<< 'EOF' cat", True), ("<<\tEOF cat", True), ("$(( 1 << 2 ))", False)],
)
def test_a_blank_before_the_word(line: str, *, is_document: bool) -> None:
    """Dockerfile syntax 1.16 allows one. A line without an end is a shift, which older builders read it as."""
    text = f"FROM a\nRUN {line}\n" + ("FROM x\nEOF\n" if is_document else "") + "FROM b AS last\n"
    assert [each.keyword for each in instructions(text, "Dockerfile")] == ["FROM", "RUN", "FROM"]


@pytest.mark.parametrize(
    "text", ["FROM a\nRUN <<EOF\nFROM b\n", "FROM a\nRUN <<-EOF\n EOF\n", "FROM a\nRUN x \\\n <<EOF"]
)
def test_a_document_without_an_end(text: str) -> None:
    """It is refused with its line, instead of hiding the stages behind it."""
    with pytest.raises(ConfigError, match="<<EOF has no end") as caught:
        Dockerfile.parse(text.encode(), "Dockerfile")
    assert caught.value.where == "Dockerfile, line 2"
    docker: Any = pytest.importorskip("dockerfile", reason="Docker's parser has no wheel for this platform")
    with pytest.raises(docker.GoParseError, match="unterminated heredoc"):
        docker.parse_string(text)
