"""Windows finds a program where its user would, and never in the folder of the project."""

from __future__ import annotations

from pathlib import PureWindowsPath

import pytest

from unmoor.filesystem.windows_programs import find_program, variable

CWD = PureWindowsPath(r"D:\project")
FILES = {
    name.lower()
    for name in (
        r"C:\Git\cmd\git.exe",
        r"C:\nodejs\npm",
        r"C:\nodejs\npm.cmd",
        r"C:\Python\python3.11.exe",
        r"C:\Python\tool.py",
        r"C:\both\tool.com",
        r"C:\both\tool.exe",
        r"C:\a b\x.exe",
        r"D:\project\git.exe",
        r"D:\project\tools\lint.exe",
        r"D:\project\evil.exe",
    )
}
PATH = r'.;;evil;D:tools;\both;"C:\a b";C:\Git\cmd\;C:\nodejs;C:\Python;C:\both'


@pytest.mark.parametrize(
    ("program", "pathext", "found"),
    [
        ("git", None, r"C:\Git\cmd\git.exe"),
        ("git.exe", None, r"C:\Git\cmd\git.exe"),
        ("GIT.EXE", None, r"C:\Git\cmd\GIT.EXE"),
        ("npm", None, r"C:\nodejs\npm.cmd"),
        ("npm", ".EXE", None),
        ("npm.cmd", ".EXE", r"C:\nodejs\npm.cmd"),
        ("python3.11", ".COM;.EXE;.BAT;.CMD", r"C:\Python\python3.11.EXE"),
        ("tool", ".PY;.EXE;.COM", r"C:\both\tool.EXE"),
        ("tool", "", r"C:\both\tool.com"),
        ("tool.py", ".PY", None),
        ("x", None, r"C:\a b\x.exe"),
        ("evil", None, None),
        (r"C:\Git\cmd\git", None, r"C:\Git\cmd\git.exe"),
        ("C:/Git/cmd/git.exe", None, r"C:\Git\cmd\git.exe"),
        (r"tools\lint", None, r"D:\project\tools\lint.exe"),
        (r".\evil", None, None),
        ("none", None, None),
        ("", None, None),
        (".", None, None),
        ("git\0", None, None),
    ],
)
def test_where_a_program_is(program: str, pathext: str | None, found: str | None) -> None:
    """Absolute folders of PATH count, with the extensions that start by themselves; a path counts as it is."""
    env = {"Path": PATH} | ({} if pathext is None else {"PathExt": pathext})
    known = find_program(program, cwd=CWD, env=env, is_program=lambda path: path.lower() in FILES)
    assert known == found


def test_no_path_at_all() -> None:
    """Without PATH there is nothing to find, and no current folder either."""
    assert find_program("git", cwd=CWD, env={}, is_program=lambda _path: True) is None


@pytest.mark.parametrize("env", [{"Path": "x"}, {"PATH": "x"}, {"path": "x", "PATHEXT": "y"}])
def test_names_of_variables_have_no_case(env: dict[str, str]) -> None:
    """Most machines call it ``Path``."""
    assert variable(env, "PATH") == "x"
