"""Options that several commands share."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import wraps
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from unmoor.util.text import clean

if TYPE_CHECKING:
    from unmoor.artifacts.merge import Handover

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
_AGE = re.compile(r"([0-9]{1,6})\s*(s|m|h|d|w)?")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


class Age(click.ParamType[float]):
    """A duration such as ``30d``, converted to seconds."""

    name = "age"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse a number followed by s, m, h, d or w. A number alone means days."""
        if isinstance(value, float):
            return value
        found = _AGE.fullmatch(str(value).strip().lower())
        if found is None:
            self.fail(f"{str(value)[:40]!r} is not a duration: write 30d, 12h or 2w", param, ctx)
        return float(found[1]) * _UNITS[found[2] or "d"]


directory_option: Final[Decorator] = click.option(
    "--directory",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="the current directory",
    help="The checkout of the project.",
)
_PATH: Final[Decorator] = click.option(
    "--path",
    metavar="DIR",
    help="The directory of the project, relative to the top of the repository.  [default: the nearest project in the"
    " current directory or above, or the one that the settings at the top name]",
)
_WORLD: Final[Decorator] = click.option(
    "--world",
    envvar="UNMOOR_WORLD",
    show_envvar=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Use the servers in this world file instead of the real ones.",
)
_CONFIG: Final[Decorator] = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Read the settings from this file instead of the tag's commit. A release records this in its manifest.",
)
json_option: Final[Decorator] = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def target_options(*, tag: bool = True, world: bool = True, config: bool = True) -> Decorator:
    """Add the options that say what a command works on. The command gets them as one `TargetOptions`, ``target``.

    Adds ``--directory`` and ``--path``, and the argument TAG, ``--world`` and ``--config`` unless they are turned off.
    """
    options: list[Decorator] = [
        *([_CONFIG] if config else []),
        *([_WORLD] if world else []),
        _PATH,
        directory_option,
        *([click.argument("tag", required=False)] if tag else []),
    ]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def command(**values: Any) -> Any:
            from unmoor.cli.target_options import TargetOptions

            names = [name for name in TargetOptions.__struct_fields__ if name in values]
            target = TargetOptions(**{name: values.pop(name) for name in names})
            return function(target=target, **values)

        decorated: Callable[..., Any] = command
        for option in options:  # click lists the last decorator first
            decorated = option(decorated)
        return decorated

    return decorate


def _read_digests(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Read the digests of the option, else those of the variable. A variable that is set but empty is an error."""
    from unmoor.artifacts.belief import VARIABLE, read_digest

    if not values and VARIABLE in os.environ:
        values = tuple(os.environ[VARIABLE].split()) or ("",)
    try:
        return tuple(map(read_digest, values))
    except ValueError as error:
        raise click.BadParameter(f"{clean(str(error))}; the run that made the document printed it") from error


digest_option: Final[Decorator] = click.option(
    "--manifest-sha256",
    "digests",
    metavar="HEX",
    multiple=True,
    callback=_read_digests,
    help="Believe the manifest, record of images or proof with this sha256, which the run that made it printed."
    " Give it once for each document that is handed over, in any order.  [env: UNMOOR_MANIFEST_SHA256]",
)
_FOLDER: Final = click.Path(path_type=Path, file_okay=False, exists=True)
_FILE_OPTIONS: Final[tuple[Decorator, ...]] = (
    digest_option,
    click.option(
        "--dists",
        type=_FOLDER,
        multiple=True,
        help="Use the files that another job built and tested instead of building them. The directory is that job's"
        " .unmoor/TAG, or holds its files and their manifest. Can be repeated, to join the files of several jobs.",
    ),
    click.option(
        "--manifest",
        type=click.Path(path_type=Path, dir_okay=False),
        multiple=True,
        help="The manifest of the files in --dists. If used, give one for each --dists, in the same order.  [default:"
        " manifest.json in the directory]",
    ),
    click.option(
        "--built",
        type=_FOLDER,
        help="Use the files in this directory, which another tool such as cibuildwheel has just built, instead of"
        " building them. If it holds only wheels, the sdist is built.",
    ),
    click.option(
        "--leg",
        "legs",
        type=_FOLDER,
        multiple=True,
        help="Add the images that another machine built, from its .unmoor/TAG. Can be repeated.",
    ),
)


def file_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for what other jobs and tools built. The command gets them as one `FileOptions`, ``files``."""

    @wraps(function)
    def command(
        *,
        digests: tuple[str, ...],
        dists: tuple[Path, ...],
        manifest: tuple[Path, ...],
        built: Path | None,
        legs: tuple[Path, ...],
        **values: Any,
    ) -> Any:
        from unmoor.cli.run_options import FileOptions

        if built is not None and dists:
            raise click.UsageError(
                "--built and --dists cannot be used together: --built is for files of this job, --dists for those of"
                " others"
            )
        handed = _handovers(dists, manifest)
        return function(files=FileOptions(digests=digests, prebuilt=built, handed=handed, legs=legs), **values)

    decorated: Callable[..., Any] = command
    for option in reversed(_FILE_OPTIONS):  # click lists the last decorator first
        decorated = option(decorated)
    return decorated


def _handovers(dists: tuple[Path, ...], manifests: tuple[Path, ...]) -> tuple[Handover, ...]:
    """Pair each directory with its manifest. Without ``manifests``, each directory holds its own."""
    from unmoor.artifacts.merge import Handover

    if manifests and len(manifests) != len(dists):
        raise click.UsageError(
            f"--manifest is given {len(manifests)} times and --dists {len(dists)} times: give one --manifest for each"
        )
    return tuple(Handover.of(folder, manifest) for folder, manifest in zip_longest(dists, manifests))
