"""Workflow files are read as they are; what GitHub would not read is refused with its line."""

from __future__ import annotations

import pytest
from tests.workflows.test_yaml_text import TEXT

from unmoor.errors import Refused
from unmoor.provenance.release_workflow import LARGEST
from unmoor.workflows.reading import YamlMap, YamlText, read_file


def test_jobs_have_their_lines() -> None:
    """The lines of all jobs make up the end of the file, each with the comments above it."""
    file = read_file("a.yml", TEXT.encode())
    assert [job.id for job in file.jobs] == ["build", "tests", "publish"]
    assert TEXT.endswith("jobs:\n" + "".join(job.text for job in file.jobs))
    assert file.jobs[2].text.startswith("\n  # Nothing of this\n  # can be taken back.\n  publish:\n")


def test_jobs_need_not_stand_last() -> None:
    """What follows the jobs is no part of the last one."""
    text = "jobs:\n  one:\n    steps: []\n\n# about the name\nname: x\n"
    file = read_file("a.yml", text.encode())
    assert [job.text for job in file.jobs] == ["  one:\n    steps: []\n"]


@pytest.mark.parametrize(
    ("data", "crlf"),
    [(TEXT.encode(), False), (TEXT.replace("\n", "\r\n").encode(), True), (b"\xef\xbb\xbf" + TEXT.encode(), False)],
    ids=["lf", "crlf", "bom"],
)
def test_line_ends_and_marks_do_not_matter(data: bytes, *, crlf: bool) -> None:
    """The text is the same, and the ending of lines is remembered."""
    file = read_file("a.yml", data)
    assert (file.text, file.crlf) == (TEXT, crlf)


def test_scalars_stay_texts() -> None:
    """YAML 1.2 has no truth in ``on``, and numbers are written as they were."""
    file = read_file("a.yml", b"on: push\nversion: 3.10\nno: null\n")
    assert {key: value for key, value in file.value.pairs.items() if isinstance(value, YamlText)} == {
        "on": YamlText("push", 1),
        "version": YamlText("3.10", 2),
        "no": YamlText("null", 3),
    }


@pytest.mark.parametrize(
    ("job", "aliases"),
    [
        ("    steps: []\n", set()),
        ("    env: *shared\n", {""}),
        ("    env: &own\n      A: 1\n    other: *own\n", set()),
        ("    run: ls *shared && a &shared\n", set()),
        ("    run: |\n      ls *shared\n", set()),
        ("    # *shared\n    steps: []\n", set()),
        ("    needs: [*shared]\n", {""}),
        ("    <<: *first\n", {"first"}),
        ("    needs: [*shared, *first]\n", {"", "first"}),
    ],
)
def test_anchors_of_other_parts_are_seen(job: str, aliases: set[str]) -> None:
    """A job that names an anchor outside of it cannot stay if that part is written again; scripts have no anchors."""
    text = f"env: &shared\n  A: 1\njobs:\n  first: &first\n    steps: []\n  one:\n{job}"
    found = read_file("a.yml", text.encode()).jobs[-1]
    assert (found.id, found.aliases) == ("one", frozenset(aliases))


@pytest.mark.parametrize(
    "jobs",
    ["{}", "{one: {steps: []}}", "{\n  one: {steps: []},\n  two: {steps: []}\n}", "[]", "", "one", "{one, two: }"],
)
def test_jobs_without_lines_of_their_own(jobs: str) -> None:
    """A file whose jobs are in flow style, or are no jobs at all, is read and has no lines of jobs."""
    assert read_file("a.yml", f"on: push\njobs: {jobs}\n".encode()).jobs == ()


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r", "\x85\n", "\u2028\n"])
def test_lines_end_as_for_the_parser(ends: str) -> None:
    """The lines of each job are whole, whatever ends a line in YAML."""
    text = f"jobs:\n  one:\n    run: |\n      echo 1{ends}      echo 2{ends}  two:\n    steps: []\n"
    found = read_file("a.yml", text.encode()).jobs
    assert [job.id for job in found] == ["one", "two"]
    assert found[1].text.strip() == "two:\n    steps: []"
    assert "".join(job.text for job in found) == text.removeprefix("jobs:\n")


@pytest.mark.parametrize(
    ("line", "comment"),
    [("a: b", ""), ("a: b # v1.0", "v1.0"), ("a: b # v1.0 # kept by hand", "v1.0 # kept by hand"), ("a: b#c", "")],
)
def test_the_comment_of_a_line(line: str, comment: str) -> None:
    """The comment begins at the first number sign after a blank."""
    assert read_file("a.yml", f"on: push\n{line}\n".encode()).comment_on(2) == comment


BROKEN = {
    "a tab": (b"jobs:\n\tone: 1\n", "a.yml:2", "not valid YAML"),
    "twice": (b"on: push\njobs:\n  one: 1\n  one: 2\n", "a.yml:4", "'one' is there twice"),
    "twice at the top": (b"on: push\non: pull_request\n", "a.yml:2", "'on' is there twice"),
    "unclosed": (b"jobs: [one\n", "a.yml", "not valid YAML"),
    "unknown alias": (b"jobs: *nobody\n", "a.yml:1", "not valid YAML"),
    "no mapping": (b"- one\n", "a.yml", "not a mapping"),
    "empty": (b"", "a.yml", "not a mapping"),
    "not UTF-8": (b"name: \xff\n", "a.yml", "not UTF-8: byte 7"),
    "zero bytes": (b"name: \x00\n", "a.yml", "not valid YAML"),
    "deep": (b"a: " + b"[" * 300 + b"]" * 300, "a.yml", "deep"),
    "very deep": (b"a: " + b"[" * 20_000, "a.yml", "a.yml"),
    "large": (b"#" * (LARGEST + 1), "a.yml", "512 kB"),
    "a key of many": (b"? [a, b]\n: 1\n", "a.yml:1", "a key is not a text"),
    "two documents": (b"a: 1\n---\nb: 2\n", "a.yml:2", "not valid YAML"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_read_is_refused(name: str) -> None:
    """The message says where and what; nothing is half read."""
    data, where, what = BROKEN[name]
    with pytest.raises(Refused) as raised:
        read_file("a.yml", data)
    assert where in str(raised.value)
    assert what in str(raised.value)
    assert raised.value.next_step


def test_a_bomb_of_aliases_stays_small() -> None:
    """Aliases are not written out, so a file of nine lines does not fill the memory."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    with pytest.raises(Refused, match="aliases"):
        read_file("a.yml", "\n".join(lines).encode())
    assert isinstance(read_file("a.yml", b"a: &a [1]\nb: *a\n").value, YamlMap)
