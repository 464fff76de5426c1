"""The options of ``unmoor rehearse --chaos``, and the command line that plays a round again."""

from __future__ import annotations

import math
import re
import secrets

import click
import msgspec

from unmoor.cli.target_options import TargetOptions
from unmoor.errors import ConfigError
from unmoor.filesystem import commands
from unmoor.rehearsal.faults import catalogue
from unmoor.rehearsal.faults.injection import Injected

ROUNDS = 20
"""How many rounds there are by default."""
_SEED = re.compile(r"([0-9]{1,18})(?:@([0-9A-Za-z.+!-]{1,100}))?")


class ChaosOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options: ``rounds`` or ``minutes`` is how long, 0 for the other. ``faults`` limits what is drawn to these.

    ``injections`` are played in one round instead of any that is drawn, which ``from_nothing`` begins without files.
    """

    seed: int
    rounds: int = ROUNDS
    minutes: float = 0.0
    faults: tuple[str, ...] = ()
    injections: tuple[Injected, ...] = ()
    from_nothing: bool = False


def read_options(
    version: str,
    *,
    seed: str | None,
    rounds: int | None,
    minutes: float | None,
    faults: tuple[str, ...],
    injections: tuple[str, ...],
    from_nothing: bool,
) -> ChaosOptions:
    """Check the options. Raises `click.UsageError` for those that are wrong or do not go together."""
    if rounds is not None and minutes is not None:
        raise click.UsageError("--rounds and --minutes cannot be used together: each says when to stop")
    if minutes is not None and not math.isfinite(minutes):
        raise click.UsageError(f"--minutes {minutes} is no end: write a number, such as 10")
    if injections and (seed is not None or rounds is not None or minutes is not None or faults):
        raise click.UsageError("--inject plays one round, so --seed, --rounds, --minutes and --fault do not go with it")
    if from_nothing and not injections:
        raise click.UsageError("--from-nothing is for --inject: of the rounds that are drawn, every tenth is so")
    return ChaosOptions(
        seed=_read_seed(seed, version),
        rounds=0 if minutes is not None else ROUNDS if rounds is None else rounds,
        minutes=minutes or 0.0,
        faults=tuple(dict.fromkeys(_known(name) for name in faults)),
        injections=tuple(_read(text) for text in injections),
        from_nothing=from_nothing,
    )


def _read_seed(text: str | None, version: str) -> int:
    if text is None:
        return secrets.randbelow(1_000_000)
    found = _SEED.fullmatch(text)
    if found is None:
        raise click.UsageError(f"{text[:60]!r} is no seed: write a number, such as 7, or one that was printed")
    if found[2] is not None and found[2] != version:
        raise click.UsageError(
            f"the seed {text} is of unmoor {found[2]}, and this is {version}, which draws other rounds from it: use"
            f" --seed {found[1]} for those, or --inject to play a round again"
        )
    return int(found[1])


def _known(name: str) -> str:
    if name in catalogue.FAULTS:
        return name
    near = catalogue.nearest(name, catalogue.FAULTS, cutoff=0.4)
    hint = f"did you mean {', '.join(near)}?" if near else "see --list"
    raise click.UsageError(f"there is no fault {name[:60]!r}: {hint}")


def _read(text: str) -> Injected:
    try:
        return catalogue.read(text, where="--inject")
    except ConfigError as error:
        raise click.UsageError(f"--inject: {error.in_brief()}") from error


def same_command(target: TargetOptions, options: ChaosOptions, *, without_images: bool) -> str:
    """Return the command line that plays the same rounds, also if the seed was drawn."""
    injections = tuple(map(str, options.injections))
    drawn = ["--seed", str(options.seed)]
    drawn += ["--minutes", f"{options.minutes:g}"] if options.minutes else ["--rounds", str(options.rounds)]
    drawn += [word for name in options.faults for word in ("--fault", name)]
    return _command(
        target,
        injections,
        [] if injections else drawn,
        from_nothing=options.from_nothing,
        without_images=without_images,
    )


def replay_command(
    target: TargetOptions, injections: tuple[str, ...], *, from_nothing: bool, without_images: bool
) -> str:
    """Return the command line that plays a round again."""
    return _command(target, injections, [], from_nothing=from_nothing, without_images=without_images)


def _command(
    target: TargetOptions, injections: tuple[str, ...], drawn: list[str], *, from_nothing: bool, without_images: bool
) -> str:
    options = [*target.arguments(), "--chaos", *(["--without-images"] if without_images else []), *drawn]
    options += [word for text in injections for word in ("--inject", text)]
    options += ["--from-nothing"] if from_nothing else []
    return commands.join(["unmoor", "rehearse", *options, *([target.tag] if target.tag else [])])
