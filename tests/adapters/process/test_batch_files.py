"""cmd.exe gets no argument that it would take for more than text."""

from __future__ import annotations

import pytest

from unmoor.adapters.process.batch_files import require_safe
from unmoor.errors import ToolMissing

NPM = r"C:\Program Files\nodejs\npm.cmd"


@pytest.mark.parametrize(
    "argument",
    [
        'a" & calc.exe',
        "a&calc",
        "a|more",
        "a>file",
        "a<file",
        "%PATH%",
        "%CMDCMDLINE:~-1%&calc",
        "!PATH!",
        "a^b",
        "(a)",
        "a\nb",
        "a\r",
        "a\0b",
    ],
)
@pytest.mark.parametrize("program", [NPM, "C:\\x.bat", "C:\\X.BAT", "C:\\x.cmd. ", "C:\\x.Cmd"])
def test_an_argument_that_cmd_reads_as_more_than_text(program: str, argument: str) -> None:
    """It is refused before anything starts, in whatever way the name of the batch file is written."""
    with pytest.raises(ToolMissing, match=r"cmd\.exe gives .* a meaning") as caught:
        require_safe(program, ["run", argument])
    assert caught.value.advice_ids == ("avoid-batch-file",)


def test_a_batch_file_with_such_a_path() -> None:
    """The path of the file is part of the command line, too."""
    with pytest.raises(ToolMissing, match="'&' a meaning"):
        require_safe(r"C:\a&b\x.cmd", [])


@pytest.mark.parametrize(
    ("program", "args"),
    [
        (NPM, ["run", "test", "--prefix=C:\\a b", "@scope/name@1.0", "a,b;c", "über", ""]),
        (r"C:\Git\git.exe", ["log", "--format=%H", "a&b", "a|b"]),
        (r"C:\tools\cmd", ["a&b"]),
        (r"C:\tools.bat\x.exe", ["%PATH%"]),
    ],
)
def test_what_is_passed_on(program: str, args: list[str]) -> None:
    """Plain arguments of a batch file, and any of a program that Windows itself starts."""
    require_safe(program, args)
