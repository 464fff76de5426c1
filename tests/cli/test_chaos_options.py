"""The options of chaos are checked before anything is built, and a round's command plays it again."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from unmoor.cli.chaos_options import ROUNDS, ChaosOptions, read_options, replay_command, same_command
from unmoor.cli.target_options import TargetOptions
from unmoor.util.values import replace

NONE: dict[str, Any] = {
    "seed": None,
    "rounds": None,
    "minutes": None,
    "faults": (),
    "injections": (),
    "from_nothing": False,
}


def read(**given: Any) -> ChaosOptions:
    """Read these options, and none besides, as version 1.2."""
    return read_options("1.2", **{**NONE, **given})


WRONG = {
    "both": ({"rounds": 3, "minutes": 1.0}, "--rounds and --minutes cannot be used together"),
    "minutes-nan": ({"minutes": float("nan")}, "--minutes nan is no end"),
    "minutes-inf": ({"minutes": float("inf")}, "--minutes inf is no end"),
    "case": ({"faults": ("kill",)}, "there is no fault 'kill': did you mean KILL"),
    "case-of-inject": ({"injections": ("Lost-Reply@pypi:POST /legacy/#1",)}, "write it as lost-reply"),
    "case-of-kill": ({"injections": ("kill@journal:dists/made#1",)}, "write it as KILL"),
    "case-of-service": ({"injections": ("down@PyPI:POST /legacy/#1",)}, "is no injection"),
    "fault": ({"faults": ("lost-replay",)}, "there is no fault 'lost-replay': did you mean lost-reply"),
    "nothing-like-it": ({"faults": ("\x1b[31mxyzzy",)}, "there is no fault '\\x1b[31mxyzzy': see --list"),
    "other-version": ({"seed": "7@1.1"}, "the seed 7@1.1 is of unmoor 1.1, and this is 1.2"),
    "no-seed": ({"seed": "seven"}, "'seven' is no seed"),
    "no-injection": ({"injections": ("lost-reply",)}, "'lost-reply' is no injection"),
    "no-route": ({"injections": ("lost-reply@pypi:POST /lagacy/#1",)}, "there is no route of pypi"),
    "no-place": ({"injections": ("moved-tag@start:run#1",)}, "the fault moved-tag cannot happen at start:run"),
    "seed-and-inject": ({"seed": "7", "injections": ("down@pypi:POST /legacy/#1",)}, "--inject plays one round"),
    "from-nothing": ({"from_nothing": True}, "--from-nothing is for --inject"),
}


@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options_are_a_usage_error(given: dict[str, Any], message: str) -> None:
    """The message names the option and what to write instead, in one line."""
    with pytest.raises(click.UsageError) as raised:
        read(**given)
    assert message in raised.value.message
    assert raised.value.message.isprintable()


def test_a_seed_counts_with_and_without_its_version() -> None:
    """A printed seed has the version of unmoor; a person may write the number alone."""
    assert read(seed="7@1.2") == read(seed="7") == ChaosOptions(seed=7, rounds=ROUNDS)
    assert read(seed="7", minutes=2.5) == ChaosOptions(seed=7, rounds=0, minutes=2.5)
    assert 0 <= read().seed < 1_000_000


def test_the_printed_command_plays_the_same_round() -> None:
    """It names the project, the tag, each fault and where the round began; routes have blanks and braces."""
    texts = ("lost-reply@pypi:POST /legacy/#2x0", "KILL@forge:GET /repos/{owner}/{repo}#1:after")
    target = TargetOptions(folder=Path("a b"), tag="v1.0")
    words = shlex.split(replay_command(target, texts, from_nothing=True, without_images=True))
    assert words[:5] == ["unmoor", "rehearse", "--directory", "a b", "--chaos"]
    assert [words[at + 1] for at, word in enumerate(words) if word == "--inject"] == list(texts)
    assert {"--from-nothing", "--without-images"} < set(words)
    assert words[-1] == "v1.0"
    assert tuple(map(str, read(injections=texts, from_nothing=True).injections)) == texts


SAME = {
    "drawn": ({}, ["--chaos", "--seed", "5", "--rounds", "20"]),
    "minutes": ({"minutes": 2.5}, ["--chaos", "--seed", "5", "--minutes", "2.5"]),
    "faults": ({"rounds": 3, "faults": ("down",)}, ["--chaos", "--seed", "5", "--rounds", "3", "--fault", "down"]),
    "injected": (
        {"injections": ("down@pypi:*#1x0",), "from_nothing": True},
        ["--chaos", "--inject", "down@pypi:*#1x0", "--from-nothing"],
    ),
}


@pytest.mark.parametrize(("given", "words"), SAME.values(), ids=SAME)
def test_the_same_command_plays_the_same_rounds(given: dict[str, Any], words: list[str]) -> None:
    """It has the seed, although that may have been drawn, and is read as it was given."""
    options = replace(read(**given), seed=5)
    printed = shlex.split(same_command(TargetOptions(folder=Path()), options, without_images=False))
    assert printed == ["unmoor", "rehearse", *words]
