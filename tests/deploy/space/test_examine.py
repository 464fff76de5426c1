"""Files of a Space are looked at before anything is published: one that fails is left out, a critical one stops."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.local_hub import APP, README
from tests.support.systems import posix

from unmoor.deploy.space import examine as module
from unmoor.deploy.space.examine import examine
from unmoor.errors import Refused, Unsafe
from unmoor.products import LeftOutFile

GOOD = {"app.py": APP, "README.md": README}
TOKEN = "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH"


def judge(contents: Mapping[str, bytes]) -> dict[str, str]:
    """Judge Python by a word."""
    return {path: "line 1 is not Python: invalid syntax" for path, data in contents.items() if b"syntax" in data}


def look(
    folder: Path, contents: Mapping[str, bytes], *, patterns: tuple[str, ...] = ("**",), critical: tuple[str, ...] = ()
) -> module.Examined:
    """Write the files, and look at them."""
    for path, data in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return examine(folder, tuple(contents), patterns=patterns, critical=critical, judge_python=judge)


def test_good_files_have_their_ids(tmp_path: Path) -> None:
    """A file has the id that git gives to it, its sha256 and its size."""
    found = look(tmp_path, {**GOOD, "hello": b"hello\n", "pkg/__init__.py": b"", "a.bin": bytes(range(256))})
    ids = {each.path: each.blob for each in found.files}
    assert sorted(ids) == ["README.md", "a.bin", "app.py", "hello", "pkg/__init__.py"]
    assert ids["hello"] == "ce013625030ba8dba906f756967f9e9ca394464a"
    assert found.left_out == ()


FAULTS: dict[str, tuple[str, bytes, str]] = {
    "empty": ("a.txt", b"", "it is empty"),
    "python": ("a.py", b"syntax error", "line 1 is not Python"),
    "json": ("a.json", b"{", "it is not valid"),
    "toml": ("a.toml", b"a = ", "it is not valid"),
    "yaml": ("a.yaml", b"a: [", "it is not valid"),
    "latin": ("a.yml", b"a: \xe9\n", "it is not valid"),
    "pointer": ("a.json", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of git-lfs"),
    "secret": ("a.txt", b"x\ntoken = " + TOKEN.encode(), "line 2 has a token of Hugging Face"),
    "env": (".env", b"A=1\n", "it is a file of environment variables"),
    "no-front": ("README.md", b"# Demo\n", "no metadata"),
    "no-sdk": ("README.md", b"---\ntitle: x\n---\n", "have no sdk"),
    "odd-sdk": ("README.md", b"---\nsdk: [gradio]\n---\n", "have no sdk"),
    "bad-front": ("README.md", b"---\nsdk: [\n---\n", "it is not valid"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_left_out_or_stops(tmp_path: Path, name: str) -> None:
    """The same file is left out with the reason, or if it is critical, nothing is deployed."""
    path, data, why = FAULTS[name]
    found = look(tmp_path, {"app.py": APP, path: data})
    assert [each.path for each in found.files] == ["app.py"]
    assert [each.path for each in found.left_out] == [path]
    assert why in found.left_out[0].why
    assert TOKEN not in found.left_out[0].why
    with pytest.raises(Unsafe if name in {"secret", "env"} else Refused) as caught:
        look(tmp_path, {"app.py": APP, path: data}, critical=(path,))
    assert f"{path}: " in caught.value.what
    assert why in caught.value.what


@posix
def test_link_is_left_out(tmp_path: Path) -> None:
    """A link could lead out of the project."""
    (tmp_path / "app.py").write_bytes(APP)
    (tmp_path / "link").symlink_to("app.py")
    found = examine(tmp_path, ("app.py", "link"), patterns=("*",), critical=(), judge_python=judge)
    assert found.left_out == (LeftOutFile(path="link", why="it is a link"),)


def test_large_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file above the limit is left out; too much together stops."""
    monkeypatch.setattr(module, "LARGEST", 50)
    assert [each.path for each in look(tmp_path, {**GOOD, "a.bin": b"x" * 51}).left_out] == ["a.bin"]
    monkeypatch.setattr(module, "_MOST_BYTES", 60)
    with pytest.raises(Refused, match="together"):
        look(tmp_path, GOOD)


@pytest.mark.parametrize(
    ("patterns", "critical", "said"),
    [
        (("app.py",), ("README.md",), "README.md: it is not among"),
        (("nothing/*",), (), "no file is left"),
        (("app.py", "nothing/*"), ("nothing/*",), "nothing/*: no tracked file matches"),
    ],
    ids=["unlisted", "none", "unmatched"],
)
def test_missing_files_stop(tmp_path: Path, patterns: tuple[str, ...], critical: tuple[str, ...], said: str) -> None:
    """A critical file must be listed and tracked, and there must be something to deploy."""
    with pytest.raises(Refused) as caught:
        look(tmp_path, GOOD, patterns=patterns, critical=critical)
    assert said in caught.value.what
    assert caught.value.next_step.ids == ("correct-space-files",)
