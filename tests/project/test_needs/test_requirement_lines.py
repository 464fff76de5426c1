"""Requirements files are read as pip reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement
from pip._internal.network.session import PipSession
from pip._internal.req.req_file import parse_requirements

from unmoor.project.files import Files
from unmoor.project.test_needs.requirement_lines import read_arguments, read_file


@pytest.mark.parametrize(
    "content",
    [
        "pytest\nidna==3.0\n",
        "# comment\npytest # another\nidna # none\n",
        "pytest==8 \\\n  --hash=sha256:abc \\\n  --hash=sha256:def\nidna\n",
        "-r other.txt\nidna\n",
        "-rother.txt\n--requirement other.txt\n",
        "--requirement=sub/more.txt\nidna\n",
        "--index-url https://example.org/simple\n--pre\n-f links\n--no-binary :all:\nidna\n",
        'idna; python_version >= "3"\nx [a, b] >= 1 , <2\n',
        "\ufeffpytest\r\nidna\r\n",
        "name @ https://example.org/name-1.0-py3-none-any.whl\n",
        "a>=1,\\\n<2\n",
    ],
)
def test_as_pip_reads_it(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The requirements are those that pip's own parser finds."""
    files = {"r.txt": content, "other.txt": "other\n", "sub/more.txt": "-r nested.txt\n", "sub/nested.txt": "nested\n"}
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(text.encode())
    monkeypatch.chdir(tmp_path)
    expected = [Requirement(each.requirement) for each in parse_requirements("r.txt", PipSession())]
    contents = {path: text.encode() for path, text in files.items()}
    read = read_file(Files(contents.get), "r.txt")
    assert list(dict.fromkeys(map(Requirement, read.requires))) == list(dict.fromkeys(expected))
    assert not read.omitted


@pytest.mark.parametrize(
    ("content", "requires", "extras", "omitted"),
    [
        ("-e .\n.\n./\n", (), (), ()),
        ("-e .[a,b]\n.[c]\n-e.[d]\n", (), ("a", "b", "c", "d"), ()),
        ("pytest\nidna\n-c limits.txt\n", ("pytest==8", "idna"), (), ()),
        ("-e git+https://example.org/x.git@v1#egg=x\n", ("x @ git+https://example.org/x.git@v1",), (), ()),
        ("./local\n-r absent.txt\n${NAME}\n", (), (), ("./local", "-r absent.txt", "${NAME}")),
        ("https://example.org/a.zip\n-r ../out.txt\n", (), (), ("https://example.org/a.zip", "-r ../out.txt")),
    ],
)
def test_the_project_itself(
    content: str, requires: tuple[str, ...], extras: tuple[str, ...], omitted: tuple[str, ...]
) -> None:
    """A path to the project gives its extras, constraints narrow requirements, and the rest is listed as omitted."""
    read = read_file(Files({"r.txt": content.encode(), "limits.txt": b"pytest==8\nother==1\n"}.get), "r.txt")
    assert (read.constrained(), tuple(read.extras), tuple(read.omitted)) == (requires, extras, omitted)


def test_arguments() -> None:
    """Arguments of installers: groups and extras are kept apart, and values of options are no requirements."""
    read = read_arguments(
        Files(lambda _: None), ["-U", "a", "--group=t", "--extra", "e", "--python", "3.9", "-e.[f]", "--x"]
    )
    assert (read.requires, read.groups, read.extras) == (["a"], ["t"], ["e", "f"])
