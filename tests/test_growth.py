"""Text from outside is read in a time that grows like its length, whatever is in it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import pytest
from requests.structures import CaseInsensitiveDict
from tests.support.growth import Make, grows_slowly, numbered, repeated

from unmoor.adapters.http.session import Response
from unmoor.adapters.index import answers, pages
from unmoor.adapters.registry import auth
from unmoor.ci.github_actions import repository_of
from unmoor.config import read_toml
from unmoor.dists.checks.metadata import check_metadata
from unmoor.dists.entry_points import parse_entry_points
from unmoor.errors import UnmoorError
from unmoor.images.dockerfile import Dockerfile
from unmoor.images.tags import expressions, fields, patterns
from unmoor.images.tags.errors import RuleError
from unmoor.notes import changelog, convert, files, headings, limit, markdown, myst, reading, rst, unreleased
from unmoor.project import guess_version, read_facts
from unmoor.util import secret_scan, text

PROJECT = b'[project]\nname = "demo"\ndynamic = ["version"]\n'
HATCH = b'[build-system]\nbuild-backend = "hatchling.build"\n[tool.hatch.version]\npath = "v.py"\n'
RUNS = {f"runs of {ord(each):#x}": repeated(each) for each in ' \n[(<`*-"\\:.$'}
NESTED = {
    "nested quotes": repeated("> "),
    "nested lists": repeated("- "),
    "nested brackets": lambda size: "[" * (size // 2) + "]" * (size // 2),
    "links without an end": repeated("[a]("),
    "pictures without an end": repeated("![a"),
    "tags without an end": repeated("<a "),
    "comments without an end": repeated("<!-- "),
    "code without an end": numbered("`{} "),
}
NOTES = {
    "many headings": numbered("## {}.0.0\n\n- change\n\n"),
    "many headings of one version": numbered("## 1.0.0 ({})\n"),
    "long headings": lambda size: "".join(f"# {'[' * 990}\n" for _ in range(size // 990 + 1)),
    "headings with many links": lambda size: "".join(f"# {'](a' * 300}\n" for _ in range(size // 900 + 1)),
    "many definitions": numbered("[a{}]: b\n"),
    "one definition again": repeated("[a]: b\n"),
    "definitions without an end": repeated('[a]: b "\n'),
    "steps to the right": lambda size: "".join(f"{' ' * (n % 100)}- a\n" for n in range(size // 50)),
    "tables": repeated("|a|\n"),
    "many sections of one level": numbered("## 1.{}.0\n## Fixes\n"),
    "many sections of changes": numbered("## 3.0.0\n", after="## Fixes\n" * 1_000),
    "titles at the end": lambda size: "## 3.0.0\n" + "# A\n" * (size // 4) + "## 2.0.0\n",
    "kinds at the end": lambda size: "## 3.0.0\n" + "## Fixes\n" * (size // 9),
    "kinds of two levels below a line": lambda size: (
        "**3.0.0**\n\n" + "## Fixes\n" * (size // 18) + "### Fixes\n" * (size // 18)
    ),
    "many unreleased changes": repeated("## Unreleased\n"),
    "unreleased changes below each other": lambda size: "".join(
        f"{'#' * (n % 6 + 1)} Next\n" for n in range(size // 8)
    ),
    "many lines of versions": numbered("**1.{}.0**\n\n- a\n\n"),
    "dates": repeated("2024-01-02 "),
    "parts of dates": repeated("2024-01-"),
}
RST = {
    "many titles": numbered("{}.0\n=======\n\n"),
    "many targets": numbered(".. _a{}: https://example.org\n"),
    "targets without an end": repeated(".. _a`b"),
    "many substitutions": numbered(".. |a{}| replace:: b\n"),
    "substitutions without an end": repeated(".. |a "),
    "many terms": numbered("1.{}\n  * a\n"),
    "directives": numbered(".. changelog::\n    :version: 1.{}\n\n    a\n"),
    "directives without an end": repeated(".. changelog::\n    :version: 1\n"),
    "options": repeated("    :a: 1\n", before=".. changelog::\n"),
}
MYST = {
    "roles": repeated("{a}`b` "),
    "roles without an end": numbered("{a}`` b {} "),
    "names of roles": repeated("{a"),
    "marks of different lengths": lambda size: "".join(f"{{a}}{'`' * (n % 100 + 1)} " for n in range(size // 50)),
    "roles over lines": repeated("{a}`b\n"),
    "directives": repeated("```{note}\n{a}`b`\n```\n"),
    "directives without an end": repeated(":::{note}\n"),
    "directives in directives": lambda size: "".join(
        f"{':' * (3 + size // 400 - n)}{{note}}\n" for n in range(size // 400)
    ),
    "options": repeated(":a: b\n", before="```{note}\n", after="```\n"),
    "targets": repeated("(a)=\n\n"),
    "targets without an end": repeated("("),
}
TITLES = {
    "dates": repeated("2024-01-02 "),
    "parts of dates": repeated("2024-"),
    "days": repeated("1 jan"),
    "numbers": repeated("1."),
    "versions": repeated("1.2 "),
    "brackets": repeated("[1.0]("),
    "attributes": repeated("{#a"),
    "prereleases": repeated("1.0 beta"),
    "packages": repeated("a-"),
    "blanks": repeated(" "),
    "words": repeated("master "),
}
FILE_NAMES = {
    "words": repeated("a-"),
    "numbers": repeated("1."),
    "notes": repeated("notes-"),
    "folders": repeated("a/"),
}
PYTHON = {
    "many assignments": repeated('__version__ = "1.0"\n'),
    "half assignments": repeated("__version__ = '\n"),
    "quotes": repeated("' ", before="__version__ = '"),
    "blanks": repeated(" ", before="__version__ =", after="1"),
    "many imports": numbered("from a import b{}\n"),
}
TOML = {
    "one value again": repeated('"1.0",', before="a = [", after=']\n[project]\nname = "demo"\nversion = "1.0"\n'),
    "a long key": repeated("a.", after="a = 1"),
    "a long header": repeated('"a" . ', before="[", after="a]"),
    "deep lists": repeated("[", before="a = "),
    "deep tables": repeated("{a=", before="a = "),
    "many tables": numbered("[a{}]\n"),
    "many rows": repeated("[[a]]\nb = 1\n"),
}
INI = {
    "blanks in a line": repeated(" ", before="[metadata]\nname = demo\nversion = 1.0\na", after="b\n"),
    "blank lines": repeated("\n", before="[metadata]\nname = demo\nversion ="),
    "many options": numbered("a{} = 1\n", before="[metadata]\nname = demo\nversion = 1.0\n"),
    "one value again": repeated("\n version = 1.0", before="[metadata]\nname = demo\nversion = 1.0\nx = a"),
}
DOCKER = {
    "many stages": numbered("FROM b{} AS c{}\n"),
    "a chain of stages": lambda size: "".join(f"FROM b{n} AS b{n + 1}\n" for n in range(size // 16)),
    "arguments that double": repeated("ARG a=$a$a\n", before="ARG a=aaaa\n", after="FROM $a\n"),
    "arguments in a row": repeated("a=b ", before="ARG ", after="\nFROM a\n"),
    "a long word": repeated("a", before="ARG ", after="\nFROM a\n"),
    "defaults without an end": repeated("${a:-", before="FROM "),
    "flags without an end": repeated("--a=", before="FROM "),
    "flags": repeated("--a ", before="FROM "),
    "installs": repeated("pip install ", before="FROM a\nRUN "),
    "installs of a list": repeated(" .[a", before="FROM a\nRUN pip install"),
    "blanks": repeated(" ", before="FROM a\nRUN pip install", after="x"),
    "heredocs": lambda size: "FROM a\nRUN " + "<<a " * (size // 8) + "\n" + "a\n" * (size // 4),
    "heredocs without an end": repeated("<<'", before="FROM a\nRUN "),
    "continued lines": repeated("\\\n", before="FROM a\nRUN a "),
    "many variables": repeated("$a b ", before="FROM a\nRUN "),
    "directives": repeated("# a=b\n", after="FROM a\n"),
    "a directive with blanks": repeated(" ", before="# syntax=a", after="b\nFROM a\n"),
    "heredocs after shifts": repeated("RUN <<a b <<- a << c\na\n", before="FROM a\n"),
    "shifts without an end": repeated("RUN << a\n", before="FROM a\n"),
    "quotes before a heredoc": repeated("'a' \"$b\" ", before="FROM a\nRUN ", after="<<a\na\n"),
    "variables in variables": repeated("${a:-", before="FROM a\nRUN <<"),
    "quoted flags": repeated('--a="b" ', before="FROM a\nRUN ", after='["<<a"]'),
    "a pattern of stars": lambda size: f"ARG a={'a' * min(size, 2_000)}\nFROM ${{a#{'*a' * min(size // 2, 900)}b}}c",
    "many replacements": lambda size: f"ARG a={'a' * min(size, 2_000)}\nFROM ${{a//a/{'b' * (size % 7)}}}c",
}
HTML = {
    "links": repeated('<a href="x-1.0.tar.gz">x-1.0.tar.gz</a>'),
    "headings": repeated("<h1>a"),
    "half attributes": repeated('<a href="'),
    "ends": repeated("</a"),
    "declarations": repeated("<!"),
}
NAMES = {
    "Pythons of eggs": repeated("-py3", before="demo-1.0", after=".egg"),
    "ends": repeated(".egg", before="demo-1.0"),
    "hyphens": repeated("-", before="demo", after="1.0.tar.gz"),
    "a long number": repeated("1", before="demo-", after=".tar.gz"),
    "tags of a wheel": lambda size: f"demo-1.0-{'.'.join(['a'] * size)}-{'.'.join(['b'] * size)}-any.whl",
}
METADATA = {
    "many fields": numbered("A{}: x\n"),
    "encoded words": repeated("=?utf-8?q?\xe9", before="Summary: "),
    "parts in parts": lambda size: "".join(
        f"Content-Type: multipart/mixed; boundary={n}\n\n--{n}\n" for n in range(size // 50)
    ),
    "comments": repeated("(", before="Author-email: "),
    "addresses": repeated("a@", before="Author-email: "),
    "content types": repeated('"', before="Description-Content-Type: "),
    "parameters": repeated("a=b;", before="Description-Content-Type: text/plain;"),
    "markers": repeated("(", before="Requires-Dist: a; "),
    "licences": repeated("(", before="License-Expression: "),
    "a long number": repeated("1", before="Version: "),
    "specifiers": repeated(">=1,", before="Requires-Python: "),
}
REMOTES = {
    "words": repeated("a", before="https://"),
    "logins": repeated("a@", before="https://"),
    "folders": repeated("a/", before="git@github.com:"),
    "colons": repeated("a:"),
}
CHALLENGES = {
    "names": repeated("a"),
    "quotes": repeated('a="'),
    "escaped quotes": repeated('a="\\"'),
    "blanks": repeated(" ", before="a"),
}
SECRETS = {
    "signed tokens": repeated("eyJ-"),
    "schemes": repeated("a+"),
    "logins": repeated("a://b:"),
    "keys": repeated("-----BEGIN "),
    "names": repeated("TOKEN="),
    "tokens": repeated("pypi-"),
}
RULES = {
    "braces": repeated("{{"),
    "arguments": repeated("a='b' ", before="{{a ", after="}}"),
    "comments without an end": repeated("{{!--"),
    "fields": repeated('a="b",'),
    "quotes": repeated('""', before='"'),
    "groups": repeated("("),
    "classes": repeated("[a"),
}
CONTROLS = {
    "escapes": repeated("\x1b"),
    "colours": repeated("\x1b[0"),
    "titles": repeated("\x1b]0;"),
    "invisible": repeated("\u200b"),
    "commands": repeated("##[a]::"),
    "hashes": repeated("#\u200b"),
    "colons": repeated("\t:"),
}
UNDERSTOOD = (UnmoorError, RuleError, ValueError)


def facts(**files: bytes) -> None:
    """Read a project's files, and guess what they do not say."""
    named = {name.replace("_", "."): content for name, content in files.items()}
    for read in (read_facts, guess_version):
        with contextlib.suppress(*UNDERSTOOD):
            read(named.get)


def read_markdown(source: str) -> None:
    """Find the section of a version, and what it needs from the rest."""
    source = reading.strip_controls(source)
    file = changelog.ReadFile.of("a.md", source, ("demo",), calendar=False)
    file.span("3.0.0", ("demo",))
    tuple(changelog._hints([file], "3.0.0", ("demo",)))
    assert file.document is not None
    file.document.excerpt(0, len(file.lines) // 2)
    unreleased.without_unreleased_line(source)


def read_rst(source: str) -> None:
    """Find the section of a version, and what it needs from the rest."""
    file = changelog.ReadFile.of("a.rst", source, ("demo",), calendar=True)
    file.span("3.0", ("demo",))
    tuple(changelog._hints([file], "3.0", ("demo",)))
    rst.excerpt(source, 0, len(file.lines) // 2)
    changelog._is_rst(source, "")
    convert._register_fallbacks(source)


def read_title(source: str) -> None:
    """Read what a heading says, which is cut."""
    headings.version_named(source, ("demo", "de mo"))
    headings.version_named(source[:300] * 20, ("demo", "de mo"), calendar=True)
    unreleased.is_unreleased(source)
    unreleased.is_unreleased(source[:100])


def read_file_names(source: str) -> None:
    """Look for release notes among many files, and among long names."""
    names = [source, f"docs/history/{source[:95]}.md", *(f"docs/releases/{n}.md" for n in range(len(source) // 20))]
    files.find_files(names + [f"{source[:30]}/{name}" for name in names], version="1.2.0", names=("demo",))


def read_dockerfile(source: str) -> None:
    """Find stages, bases and warnings, and the line of a step that failed."""
    parsed = Dockerfile.parse(source.encode(), "Dockerfile")
    parsed.base_of("")
    parsed.findings("demo")
    parsed.line_of(f"[1/2] RUN {source[-1_000:]}")
    parsed.stage("nothing-like-it")


def read_page(source: str) -> None:
    """Read a page of an index, and its message if it is one."""
    for kind, read in (("text/html", pages.simple_page), ("text/html", lambda page, _: answers.error_message(page))):
        with contextlib.suppress(*UNDERSTOOD):
            read(_answer(source.encode(), kind), "x")


def read_names(name: str) -> None:
    """Read pages with many such names, whole and cut to the length that indexes have."""
    for names in ([name], [name[:250]] * (len(name) // 250)):
        files = [{"filename": each, "url": "https://example.org/f", "hashes": {}} for each in names]
        body = msgspec.json.encode({"meta": {"api-version": "1.0"}, "name": "demo", "files": files})
        answer = _answer(body, "application/vnd.pypi.simple.v1+json")
        pages.listed_files(answer, pages.simple_page(answer, "demo").files, "demo", "1.0")


def read_rules(source: str) -> None:
    """Read what rules for tags consist of."""
    for read in (expressions.parse, patterns.translate, lambda each: patterns.search(each, "a"), _fields):
        with contextlib.suppress(*UNDERSTOOD):
            read(source)


def print_text(source: str) -> None:
    """Make text fit for a terminal, a log and a page."""
    for make in (text.clean, text.indented, text.without_commands, reading.strip_controls, markdown.escape):
        make(source)


def read_secrets(source: str) -> None:
    """Look for secrets."""
    secret_scan.secret_in(source)
    secret_scan.is_secret_name(source)


def read_config(source: str) -> None:
    """Read settings, and the lines of their keys."""
    assert read_toml.parse(source.encode(), "pyproject.toml").lines is not None


def _fields(source: str) -> None:
    for line in fields.lines([source], "rule"):
        fields.fields(line)


def _answer(body: bytes, kind: str) -> Response:
    headers = CaseInsensitiveDict({"Content-Type": kind})
    return Response(status=400, reason="", headers=headers, body=body, url="https://example.org/simple/x/")


READERS: Mapping[str, tuple[Callable[[str], object], Mapping[str, Make]]] = {
    "Markdown": (read_markdown, RUNS | NESTED | NOTES),
    "whether Markdown is empty": (markdown.is_empty, RUNS | NESTED | NOTES),
    "MyST": (lambda each: myst.to_markdown(each, str), RUNS | NESTED | NOTES | MYST),
    "long notes": (lambda each: limit.cut(each, max(len(each) // 2, 200)), NESTED | NOTES),
    "reStructuredText": (read_rst, RUNS | NESTED | RST),
    "a title": (read_title, RUNS | TITLES),
    "names of files": (read_file_names, FILE_NAMES),
    "pyproject.toml": (lambda each: facts(pyproject_toml=each.encode()), TOML),
    "settings": (read_config, TOML),
    "setup.cfg": (lambda each: facts(pyproject_toml=PROJECT, setup_cfg=each.encode()), INI),
    "setup.py": (lambda each: facts(pyproject_toml=PROJECT, setup_py=each.encode()), RUNS | PYTHON),
    "hatch's file": (lambda each: facts(pyproject_toml=PROJECT + HATCH, v_py=each.encode()), RUNS | PYTHON),
    "a Dockerfile": (read_dockerfile, RUNS | DOCKER),
    "the page of an index": (read_page, RUNS | HTML),
    "names on an index": (read_names, RUNS | NAMES),
    "metadata": (lambda each: check_metadata(b"Metadata-Version: 2.1\n" + each.encode()), RUNS | METADATA),
    "entry points": (lambda each: parse_entry_points(f"[console_scripts]\na = {each}".encode()), RUNS | INI),
    "rules for tags": (read_rules, RUNS | RULES),
    "addresses of remotes": (repository_of, REMOTES),
    "challenges of registries": (lambda each: auth.AuthChallenge.of(f"Bearer {each}", "registry"), CHALLENGES),
    "secrets": (read_secrets, RUNS | SECRETS),
    "text to print": (print_text, RUNS | CONTROLS),
}


def cases() -> Iterator[Any]:
    """Yield every reader with each of its texts."""
    for reader, (read, makers) in READERS.items():
        for what, make in makers.items():
            yield pytest.param(read, make, id=f"{reader}: {what}")


@pytest.mark.parametrize(("read", "make"), [*cases()])
def test_time_grows_like_the_text(read: Callable[[str], object], make: Make) -> None:
    """Eight times the text takes about eight times as long, not sixty-four."""

    def work(source: str) -> None:
        with contextlib.suppress(*UNDERSTOOD):
            read(source)

    assert grows_slowly(work, make)


@pytest.mark.parametrize(
    ("pattern", "piece", "times"), [(r"a+b", "a", 2), (r"[ab]+c", "ab", 2), (r"<a[^>]*>", "<a", 3)]
)
def test_a_quadratic_pattern_would_be_found(pattern: str, piece: str, times: int) -> None:
    """The measure tells quadratic time from linear time."""

    def make(size: int) -> str:  # so long that the first measurement is sure
        return repeated(piece)(times * size)

    # A machine that is busy for a moment can hide it once.
    assert not all(grows_slowly(lambda each: re.search(pattern, each), make) for _ in range(3))
    assert grows_slowly(lambda each: re.search("ab", each), make)
