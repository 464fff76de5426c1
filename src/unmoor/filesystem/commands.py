"""Commands that people paste into a shell: those of this machine's system.

On Linux and macOS that is a POSIX shell, on Windows PowerShell, in its old version 5.1 as well as in 7. Most commands
are a program with its arguments, which both write alike but for the quoting: see `join`. What a shell does by itself,
such as removing a folder, has a function for each.

Sources: POSIX.1-2024, Shell Command Language, 2.2 Quoting; PowerShell, about_Quoting_Rules and about_Parsing (without
``&&``, which 5.1 does not have); PowerShell's ``CodeGeneration.EscapeSingleQuotedStringContent`` for its typographic
quotes. Not mslex or oslex, which quote for cmd.exe, where neither ``$env:`` nor ``-LiteralPath`` exist.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Final, Protocol

from unmoor.util.text import clean

_LONGEST: Final = 1000
# A comma makes a list, "@", "#", "~" and "%" mean something at the start of a word. PowerShell divides "-a.b" and
# "-a:b" at the dot or colon, but not "--a.b".
_PLAIN_IN_POWERSHELL: Final = re.compile(r"(?:--(?=\w)|-(?![-%]|[^.:]*[.:])|(?=[\w./\\]))[\w./\\:=+@%~-]*")
# Quoted twice: what would end the string or be replaced in it. PowerShell accepts typographic quotes as well.
_ACTIVE_IN_DOUBLE_QUOTES: Final = re.compile('["$`\u201c\u201d\u201e]')
_SINGLE_QUOTE: Final = re.compile("(['\u2018\u2019\u201a\u201b])")


class CommandShell(Protocol):
    """A shell that people paste commands into."""

    def quote(self, word: str) -> str:
        """Return a word as one argument of a program."""

    def join(self, words: Iterable[str]) -> str:
        """Return the command that runs a program with these arguments. The program is the first word."""

    def sequence(self, commands: Iterable[str]) -> str:
        """Return one line that runs commands in their order, until one fails."""

    def assign(self, name: str, value: str) -> str:
        """Return what sets an environment variable: for one command before it, or for the shell."""

    def with_variables(self, variables: Mapping[str, str], command: str) -> str:
        """Return a command that runs another with environment variables."""

    def save(self, command: str, file: PurePath) -> str:
        """Return a command that writes the bytes that another prints to a file."""

    def remove(self, path: PurePath) -> str:
        """Return the command that removes a file, or a folder with everything below it."""

    def remove_link(self, path: PurePath) -> str:
        """Return the command that removes a link, and never what it leads to."""

    def protect(self, file: PurePath) -> str:
        """Return the command after which only its owner can read and write a file."""

    def take_ownership(self, path: PurePath) -> str:
        """Return the command that makes the user the owner of a folder and of everything below it."""

    def add_key_to_agent(self, key: PurePath) -> str:
        """Return the command that starts an agent for SSH keys and gives it a key."""


class PosixShell:
    """A shell of POSIX, such as bash, zsh and dash; see `CommandShell`."""

    def quote(self, word: str) -> str:
        """Quote with single quotes, if a word needs any."""
        return shlex.quote(word)

    def join(self, words: Iterable[str]) -> str:
        """Quote each word."""
        return shlex.join(words)

    def sequence(self, commands: Iterable[str]) -> str:
        """Use ``&&``."""
        return " && ".join(commands)

    def assign(self, name: str, value: str) -> str:
        """Write ``NAME=value``."""
        return f"{name}={self.quote(value)}"

    def with_variables(self, variables: Mapping[str, str], command: str) -> str:
        """Write the assignments before the command."""
        return " ".join([*(self.assign(name, value) for name, value in variables.items()), command])

    def save(self, command: str, file: PurePath) -> str:
        """Use ``>``."""
        return f"{command} > {self._path(file)}"

    def remove(self, path: PurePath) -> str:
        """Use rm."""
        return f"rm -r {self._path(path)}"

    def remove_link(self, path: PurePath) -> str:
        """Use rm, which does not follow links."""
        return f"rm {self._path(path)}"

    def protect(self, file: PurePath) -> str:
        """Use chmod."""
        return f"chmod 600 {self._path(file)}"

    def take_ownership(self, path: PurePath) -> str:
        """Use chown as root."""
        return f'sudo chown -R "$(id -un)" {self._path(path)}'

    def add_key_to_agent(self, key: PurePath) -> str:
        """Start an agent for this shell."""
        return f"eval $(ssh-agent) && ssh-add {self._path(key)}"

    def _path(self, path: PurePath) -> str:
        return self.quote(clean(str(path), _LONGEST))


class PowerShell:
    """PowerShell 5.1 or later; see `CommandShell`.

    A double quote within an argument is lost in 5.1. No path on Windows has one.
    """

    def quote(self, word: str) -> str:
        """Quote with double quotes, which cmd.exe accepts as well, unless PowerShell would replace something."""
        if _PLAIN_IN_POWERSHELL.fullmatch(word):
            return word
        if _ACTIVE_IN_DOUBLE_QUOTES.search(word):
            return _literal(word)
        return f'"{word}"'

    def join(self, words: Iterable[str]) -> str:
        """Quote each word. A quoted program is only called after ``&``."""
        quoted = [self.quote(word) for word in words]
        return " ".join([*(["&"] if quoted and quoted[0][0] in "\"'" else []), *quoted])

    def sequence(self, commands: Iterable[str]) -> str:
        """Ask ``$?`` after each, since 5.1 has no ``&&``."""
        first, *others = commands
        return first + "".join(f"; if ($?) {{ {each}" for each in others) + " }" * len(others)

    def assign(self, name: str, value: str) -> str:
        """Set it for this shell: there is no other way."""
        return f"$env:{name} = {_literal(value)}"

    def with_variables(self, variables: Mapping[str, str], command: str) -> str:
        """Write the assignments as commands."""
        return "; ".join([*(self.assign(name, value) for name, value in variables.items()), command])

    def save(self, command: str, file: PurePath) -> str:
        """Let cmd.exe write the file: in 5.1, ``>`` writes UTF-16."""
        return f"cmd /c {_literal(f'{command} > {self._path(file)}')}"

    def remove(self, path: PurePath) -> str:
        """Use ``-Force`` for read-only files, which git makes."""
        return f"Remove-Item -Recurse -Force -LiteralPath {self._path(path)}"

    def remove_link(self, path: PurePath) -> str:
        """Use .NET: old versions of ``Remove-Item`` follow junctions."""
        return f"(Get-Item -Force -LiteralPath {self._path(path)}).Delete()"

    def protect(self, file: PurePath) -> str:
        """Drop the file's own rights and those of its folder, and grant everything to the user."""
        name = self._path(file)
        return self.sequence([f"icacls {name} /reset", f'icacls {name} /inheritance:r /grant:r "$(whoami):F"'])

    def take_ownership(self, path: PurePath) -> str:
        """Use icacls as administrator. Its options are the same in every language of Windows; takeown's are not."""
        name = _literal(f'"{clean(str(path), _LONGEST)}"')
        user = "('\"' + (whoami) + '\"')"
        return f"Start-Process icacls -Verb RunAs -ArgumentList {name}, '/setowner', {user}, '/T'"

    def add_key_to_agent(self, key: PurePath) -> str:
        """Start the service of Windows."""
        return self.sequence(["Start-Service ssh-agent", f"ssh-add {self._path(key)}"])

    def _path(self, path: PurePath) -> str:
        return self.quote(clean(str(path), _LONGEST))


def _literal(text: str) -> str:
    """Quote with single quotes, in which PowerShell replaces nothing."""
    return "'" + _SINGLE_QUOTE.sub(r"\1\1", text) + "'"


SHELL: CommandShell = PowerShell() if sys.platform == "win32" else PosixShell()
"""The shell of this machine."""


def quote(word: str) -> str:
    """Return a word as one argument of a program, to paste into a shell."""
    return SHELL.quote(word)


def join(words: Iterable[str]) -> str:
    """Return the command that runs a program with these arguments, to paste into a shell."""
    return SHELL.join(words)


def sequence(commands: Iterable[str]) -> str:
    """Return one line that runs commands in their order until one fails, to paste into a shell."""
    return SHELL.sequence(commands)


def assign(name: str, value: str) -> str:
    """Return what sets an environment variable."""
    return SHELL.assign(name, value)


def with_variables(variables: Mapping[str, str], command: str) -> str:
    """Return a command that runs another with environment variables, to paste into a shell."""
    return SHELL.with_variables(variables, command)


def save_command(command: str, file: PurePath) -> str:
    """Return a command that writes the bytes that another prints to a file, to paste into a shell."""
    return SHELL.save(command, file)


def remove_command(path: PurePath, *, link: bool = False) -> str:
    """Return the command that removes a file or folder, or a link but not its target, to paste into a shell."""
    return SHELL.remove_link(path) if link else SHELL.remove(path)


def protect_command(file: PurePath) -> str:
    """Return the command after which only its owner can read and write a file, to paste into a shell."""
    return SHELL.protect(file)


def ownership_command(path: PurePath) -> str:
    """Return the command that makes the user the owner of a folder and what is below it, to paste into a shell."""
    return SHELL.take_ownership(path)


def agent_command(key: PurePath) -> str:
    """Return the command that gives an SSH key to an agent, to paste into a shell."""
    return SHELL.add_key_to_agent(key)
