"""A command that people paste means the same to the shell of their system."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import pytest
from tests.support.systems import posix

from unmoor.filesystem import commands
from unmoor.filesystem.commands import CommandShell, PosixShell, PowerShell

POSIX, WINDOWS = PosixShell(), PowerShell()


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("", '""'),
        ("v1.2.3", "v1.2.3"),
        ("--dry-run", "--dry-run"),
        ("--path=packages/a.b", "--path=packages/a.b"),
        ("-m", "-m"),
        ("-a.b", '"-a.b"'),
        ("-a:b", '"-a:b"'),
        ("--%", '"--%"'),
        ("--", '"--"'),
        (r"C:\Users\Jörg\pkg", r"C:\Users\Jörg\pkg"),
        (r"C:\Program Files\pkg", r'"C:\Program Files\pkg"'),
        (r"\\server\share\pkg", r"\\server\share\pkg"),
        (r"C:\PROGRA~1\pkg", r"C:\PROGRA~1\pkg"),
        ("~", '"~"'),
        ("@owner", '"@owner"'),
        ("owner/name@v1.2.3", "owner/name@v1.2.3"),
        ("a,b", '"a,b"'),
        (">=3.11,!=3.12", '">=3.11,!=3.12"'),
        ("a;b", '"a;b"'),
        ("a&b|c", '"a&b|c"'),
        ("(x)", '"(x)"'),
        ("it's", '"it\'s"'),
        ("$HOME", "'$HOME'"),
        ("$it's", "'$it''s'"),
        ("a`b", "'a`b'"),
        ('a"b', "'a\"b'"),
        ("$\u2019", "'$\u2019\u2019'"),
        ("\u201ca\u201d", "'\u201ca\u201d'"),
        ("a\u2019b", '"a\u2019b"'),
    ],
)
def test_powershell_takes_a_word_as_it_is(word: str, quoted: str) -> None:
    """Double quotes, which cmd.exe accepts too, but single ones around what PowerShell replaces in double ones.

    Typographic quotes end a string there like the others.
    """
    assert WINDOWS.quote(word) == quoted


@posix
@pytest.mark.parametrize(
    "word", ["", "v1.2.3", "a b", "it's", "$HOME", 'a"b', "ü ö", "*", "-n", "a\\b", "`id`", "&&", "!x"]
)
def test_a_posix_shell_takes_a_word_as_it_is(word: str) -> None:
    """The program gets exactly the words."""
    command = POSIX.join(["printf", "%s|", word, word])
    ran = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=True)
    assert ran.stdout.decode() == f"{word}|{word}|"


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["unmoor", "release", "v1.2.3"], "unmoor release v1.2.3"),
        (["unmoor", "--directory", r"C:\my project", "v1"], r'unmoor --directory "C:\my project" v1'),
        ([r"C:\Program Files\Git\bin\git.exe", "status"], r'& "C:\Program Files\Git\bin\git.exe" status'),
        (["$x", "1"], "& '$x' 1"),
    ],
)
def test_powershell_calls_a_quoted_program(words: list[str], command: str) -> None:
    """Without ``&``, a quoted program at the start of a line is a text that PowerShell prints."""
    assert WINDOWS.join(words) == command


@pytest.mark.parametrize(
    ("shell", "sequence", "assigned", "with_variables", "saved"),
    [
        (POSIX, "a && b && c", "X='a b'", "X=1 Y=2 a", "gh x > 'r s'"),
        (
            WINDOWS,
            "a; if ($?) { b; if ($?) { c } }",
            "$env:X = 'a b'",
            "$env:X = '1'; $env:Y = '2'; a",
            "cmd /c 'gh x > \"r s\"'",
        ),
    ],
)
def test_what_only_a_shell_does(
    shell: CommandShell, sequence: str, assigned: str, with_variables: str, saved: str
) -> None:
    """Commands after each other, variables and files are written as each shell does, PowerShell 5.1 included."""
    assert shell.sequence(["a", "b", "c"]) == sequence
    assert shell.sequence(["a"]) == "a"
    assert shell.assign("X", "a b") == assigned
    assert shell.with_variables({"X": "1", "Y": "2"}, "a") == with_variables
    assert shell.save("gh x", PurePath("r s")) == saved


@pytest.mark.parametrize(
    ("shell", "path", "expected"),
    [
        (
            POSIX,
            PurePosixPath("/my project/.unmoor"),
            {
                "remove": "rm -r '/my project/.unmoor'",
                "remove_link": "rm '/my project/.unmoor'",
                "protect": "chmod 600 '/my project/.unmoor'",
                "take_ownership": "sudo chown -R \"$(id -un)\" '/my project/.unmoor'",
                "add_key_to_agent": "eval $(ssh-agent) && ssh-add '/my project/.unmoor'",
            },
        ),
        (
            WINDOWS,
            PureWindowsPath(r"C:\it's mine\.unmoor"),
            {
                "remove": r'''Remove-Item -Recurse -Force -LiteralPath "C:\it's mine\.unmoor"''',
                "remove_link": r"""(Get-Item -Force -LiteralPath "C:\it's mine\.unmoor").Delete()""",
                "protect": (
                    r'''icacls "C:\it's mine\.unmoor" /reset; if ($?) { icacls "C:\it's mine\.unmoor"'''
                    ' /inheritance:r /grant:r "$(whoami):F" }'
                ),
                "take_ownership": (
                    r"""Start-Process icacls -Verb RunAs -ArgumentList '"C:\it''s mine\.unmoor"', '/setowner',"""
                    """ ('"' + (whoami) + '"'), '/T'"""
                ),
                "add_key_to_agent": r"""Start-Service ssh-agent; if ($?) { ssh-add "C:\it's mine\.unmoor" }""",
            },
        ),
    ],
)
def test_commands_about_paths(shell: CommandShell, path: PurePath, expected: dict[str, str]) -> None:
    """Each is one line with the path quoted, by what the system has."""
    assert {name: getattr(shell, name)(path) for name in expected} == expected


def test_a_command_about_a_path_is_one_clean_line() -> None:
    """A folder may have any name: a line break or an escape sequence in it reaches no terminal."""
    for shell in (POSIX, WINDOWS):
        assert re.fullmatch(r"[ -~]+", shell.remove(PurePosixPath("/a\n\x1b[31mb")))


@posix
def test_posix_commands_do_what_they_say(tmp_path: Path) -> None:
    """Pasted, they remove a folder, only a link, and close a file to others."""
    folder, file, link, kept = (tmp_path / name for name in ("a b", "it's", "-l", "kept"))
    folder.mkdir()
    (folder / "x").touch()
    kept.mkdir()
    (kept / "x").touch()
    file.touch(0o644)
    link.symlink_to(kept)
    line = commands.sequence(
        [commands.remove_command(folder), commands.remove_command(link, link=True), commands.protect_command(file)]
    )
    subprocess.run(["/bin/sh", "-c", line], check=True)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["it's", "kept"]
    assert (kept / "x").exists()
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_functions_ask_the_shell_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every advice follows the system."""
    path, key = PureWindowsPath(r"C:\x"), PureWindowsPath(r"C:\key")
    monkeypatch.setattr(commands, "SHELL", WINDOWS)
    assert [
        commands.quote("$"),
        commands.join(["a b"]),
        commands.sequence(["a", "b"]),
        commands.assign("X", "1"),
        commands.with_variables({"X": "1"}, "a"),
        commands.save_command("a", path),
        commands.remove_command(path),
        commands.remove_command(path, link=True),
        commands.protect_command(path),
        commands.ownership_command(path),
        commands.agent_command(key),
    ] == [
        "'$'",
        '& "a b"',
        "a; if ($?) { b }",
        "$env:X = '1'",
        "$env:X = '1'; a",
        r"cmd /c 'a > C:\x'",
        WINDOWS.remove(path),
        WINDOWS.remove_link(path),
        WINDOWS.protect(path),
        WINDOWS.take_ownership(path),
        WINDOWS.add_key_to_agent(key),
    ]
