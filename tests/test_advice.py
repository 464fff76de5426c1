"""The catalogue of advice: ids, texts, and the commands and settings that the texts name."""

from __future__ import annotations

import ast
import copy
import pickle
import re
import shlex
import string
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest
from tests.support.syntax import nodes

from unmoor import advice
from unmoor.advice import NOTHING, NextStep, Template, join
from unmoor.cli.app import COMMANDS, cli
from unmoor.config.bench import BenchSettings
from unmoor.config.images import ImageSettings
from unmoor.config.metrics import MetricsSettings
from unmoor.config.settings import Settings
from unmoor.errors import ConfigError, Denied, Unknown

SOURCES = Path(advice.__file__).parent
ENTRIES = {name: each for name, each in vars(advice).items() if isinstance(each, Template)}
SAMPLES = {
    "TAG": "v1.2.3",
    "DIR": ".",
    "HEX": "0" * 64,
    "PLATFORM": "linux/amd64",
    "FILE": "pyproject.toml",
    "NAME": "demo",
    "$GITHUB_EVENT_PATH": "pyproject.toml",
}
"""A value for each word in capitals that stands for one."""
RELEASES = re.compile(
    r"\brelease (the next|a new|it|the same)\b|\bmove the tag\b|\btag that commit\b|git push"
    r"|unmoor (release|undo)(?! --dry-run)"
)
"""Words that lead to a release."""


def fields(entry: Template) -> set[str]:
    """The parameters of an entry."""
    return {name for _, name, _, _ in string.Formatter().parse(entry.text) if name}


def sample(entry: Template) -> NextStep:
    """The step with a value for each parameter."""
    return entry(**{name: name.upper() for name in fields(entry)})


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_is_plain(name: str) -> None:
    """Its id is its name, the text starts with a lower-case word and has no full stop, and both texts can be filled."""
    entry = ENTRIES[name]
    assert entry.id == name.lower().replace("_", "-")
    for text in filter(None, (entry.text, entry.rehearsed)):
        assert not text[0].isupper() or text.startswith("{")
        assert not text.endswith(".")
        assert "run it again" not in text
    assert sample(entry).ids == (entry.id,)


def test_every_use_gives_what_the_text_needs() -> None:
    """A parameter that is missing, or that no text has, would only be found when the error occurs."""
    wrong, used = [], set()
    for path in sorted(SOURCES.rglob("*.py")):
        calls = {id(node.func): node for node in nodes(path) if isinstance(node, ast.Call)}
        for node in nodes(path):
            if not isinstance(node, ast.Attribute) or node.attr not in ENTRIES or not isinstance(node.value, ast.Name):
                continue
            used.add(node.attr)
            call = calls.get(id(node))
            given = {word.arg for word in call.keywords} if call else fields(ENTRIES[node.attr])
            if given != fields(ENTRIES[node.attr]) or (call and call.args):
                wrong.append(f"{path.relative_to(SOURCES)}:{node.lineno} {node.attr}")
    assert wrong == []
    assert set(ENTRIES) - used == set()


def test_only_the_catalogue_makes_steps() -> None:
    """A step without an id would be advice that nobody follows in a test."""
    made = [
        f"{path.relative_to(SOURCES)}:{node.lineno}"
        for path in sorted(SOURCES.rglob("*.py"))
        if path.name != "advice.py"
        for node in nodes(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "NextStep"
    ]
    assert [each for each in made if not each.startswith("rehearsal/local.py:")] == []  # reads what serve wrote


def commands(text: str) -> Iterator[list[str]]:
    """The arguments of every command of unmoor in a text."""
    for found in re.finditer(r"unmoor ((?:[a-z-]+)(?: (?:--?[a-z][\w-]*|[^\s;,()]+))*)", text):
        words = shlex.split(found[1].rstrip(":"))
        if words[0] in COMMANDS:
            yield [SAMPLES.get(word, word) for word in words]


def parse(words: list[str]) -> None:
    """Parse a command line with the real parser, without running it."""
    context = click.Context(cli, info_name="unmoor")
    command = cli.get_command(context, words[0])
    words = words[1:]
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        command, words = command.get_command(context, words[0]), words[1:]
    assert command is not None
    command.make_context(command.name, list(words), parent=context)


def texts() -> list[tuple[str, str]]:
    """Every text of every entry."""
    both = [(entry, sample(entry)) for entry in advice.catalogue()]
    return [(entry.id, text) for entry, step in both for text in dict.fromkeys((str(step), step.rehearsed))]


def test_every_command_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real parser accepts each command that a text names."""
    monkeypatch.chdir(Path(__file__).parents[1])
    seen = 0
    for _, text in texts():
        for words in commands(text):
            parse(words)
            seen += 1
    assert seen > 10


def _options(command: click.Command) -> set[str]:
    own = {name for each in command.params for name in each.opts}
    if isinstance(command, click.Group):
        inner = [command.get_command(click.Context(command), name) for name in command.commands]
        own |= {name for each in inner if each is not None for name in _options(each)}
    return own


def test_every_option_exists() -> None:
    """An option that a text names without its command belongs to a command."""
    context = click.Context(cli, info_name="unmoor")
    known = {name for each in COMMANDS if (command := cli.get_command(context, each)) for name in _options(command)}
    foreign = {"--unset", "--unshallow", "--force", "--global", "--add", "--refetch", "--no-filter", "--tags"}
    foreign |= {
        "--init",
        "--recursive",
        "--draft",
        "--all",
        "--armor",
        "--export",
        "--recurse-submodules",
        "--format",
        "--mount",
        *("--rebase", "--delete", "--sign"),
        *("--clear-sign", "--local-user", "--output", "--yes"),
    }
    named = {option for _, text in texts() for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", text)}
    assert named - foreign - known == set()


_TABLES = (Settings, ImageSettings, BenchSettings, MetricsSettings)


def test_every_setting_exists() -> None:
    """A setting that a text gives to paste, or names with its table, is one of unmoor's."""
    named = {
        name
        for _, text in texts()
        for part in re.findall(
            r"(?:set|or) ([\w-]+(?: = \S+)?(?: (?:in|under|or|and|to) [^;,]*)?\[+tool\.unmoor)", text
        )
        for name in re.findall(r"^([\w-]+)", part)
    }
    settings = {each.encode_name for kind in _TABLES for each in msgspec.structs.fields(kind)}
    assert named - settings - {"it", "another", "one"} == set()


OUTSIDE = frozenset(
    """
    find-who-moved-version find-who-pushed-version push-tag-again move-tag-back continue-with-first-files
    vouch-or-next-version use-former-version attach-file release-new-version pass-sha256-or-next-version create-tag
    add-remote-and-push push-tag take-remote-tag find-who-uploaded find-who-changed-release finish-release release-it
    release-it-again delete-other-draft find-who-pushed sign-a-tag delete-one-tag put-tag-back force-tag-back
    attach-by-hand go-on-with-build push-branch-first release-tag-instead push-branch delete-release-branch
    release-with-deployment release-from-workflow next-version-if-deleted
    """.split()  # noqa: SIM905 - as a list it would be forty lines
)
"""What only a release meets: a rehearsal starts with an empty world, a remote of its own, and a tag that it pushed."""


def test_no_advice_leads_from_a_rehearsal_to_a_release() -> None:
    """In a rehearsal the text never says to release, to tag or to push, unless a rehearsal cannot meet the error."""
    leading = {entry.id for entry in advice.catalogue() if RELEASES.search(sample(entry).rehearsed)}
    assert leading - OUTSIDE == set()
    assert OUTSIDE - {entry.id for entry in advice.catalogue()} == set()


def test_an_error_of_a_rehearsal() -> None:
    """It has the text for a rehearsal and the same ids; an error without one stays as it is."""
    error = ConfigError("no", next_step=advice.CORRECT_PROJECT())
    assert error.in_rehearsal().next_step == "correct the project, and commit that"
    assert error.in_rehearsal().advice_ids == ("correct-project",)
    same = Denied("no", next_step=advice.CHECK_CLOCK())
    assert same.in_rehearsal() is same


def test_steps_are_joined() -> None:
    """Each step counts once, empty ones add nothing, and the ids stay in order."""
    one, two = advice.CHECK_CLOCK(), advice.INSTALL_PROGRAM(program="git")
    both = join([one, NOTHING, two, one])
    assert (both, both.ids) == (f"{one}; install git", ("check-clock", "install-program"))
    assert one.then(two) == both
    assert not join([NOTHING])
    for again in (copy.deepcopy(both), pickle.loads(pickle.dumps(both))):  # noqa: S301 - our own bytes
        assert (again, again.ids, again.rehearsed) == (both, both.ids, both.rehearsed)


def test_the_ids_of_an_error_are_in_the_order_of_its_text() -> None:
    """First the next step, then the wait and the same command, then what to do if that fails."""
    error = Unknown("no", next_step=advice.CHECK_NETWORK(), wait=3.0, otherwise=advice.CHECK_CLOCK())
    assert error.advice_ids == ("check-network", "wait", "run-again", "check-clock")
    assert Denied("no", next_step=advice.CHECK_CLOCK()).advice_ids == ("check-clock",)
