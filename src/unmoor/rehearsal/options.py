"""The command line of the local world's process."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.config.addresses import HOST
from unmoor.errors import ConfigError
from unmoor.rehearsal.announce.targets import LocalTarget
from unmoor.rehearsal.deployments import NAMES

FILE_LIMIT = 100 << 20
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The command line: ``file_limit`` in bytes, ``registries`` the hosts to start a registry for.

    ``any_platform``: the indexes take wheels for any platform, and the world file says so. ``tag`` is the one that ID
    tokens are for; if it is empty, the newest. ``signing``: the keys of Sigstore are made at the start
    instead of at the first use. ``announce`` are the targets that catch announcements, ``deployments`` the servers of
    `unmoor.rehearsal.deployments` that it has. ``patience`` is for how many seconds clients wait, 0 for
    no limit of this world. ``starter`` is the process that starts the clients which faults may kill, 0 for none.
    """

    folder: Path
    repository: str
    checkout: Path | None
    file_limit: int
    registries: tuple[str, ...] = ()
    any_platform: bool = False
    tag: str = ""
    signing: bool = False
    announce: tuple[LocalTarget, ...] = ()
    deployments: tuple[str, ...] = ()
    patience: float = 0.0
    starter: int = 0


def options(arguments: Sequence[str]) -> Options:
    """Parse the command line. Raises `ConfigError` for an invalid repository or registry host."""
    parser = argparse.ArgumentParser(prog="python -m unmoor.rehearsal.serve", description="Serve a local world.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the world's state")
    parser.add_argument("--repository", required=True, metavar="OWNER/NAME", help="repository on the forge")
    parser.add_argument("--checkout", type=Path, metavar="PATH", help="git repository to clone the remote from")
    parser.add_argument(
        "--file-limit", type=int, default=FILE_LIMIT, metavar="BYTES", help="largest file that an index accepts"
    )
    parser.add_argument(
        "--registry",
        action="append",
        default=[],
        metavar="HOST",
        help="start a registry for images of HOST, such as ghcr.io",
    )
    parser.add_argument("--any-platform", action="store_true", help="take wheels for platforms that PyPI refuses")
    parser.add_argument("--tag", default="", metavar="TAG", help="tag that ID tokens are for (default: the newest)")
    parser.add_argument("--signing", action="store_true", help="make the keys of Sigstore at the start")
    parser.add_argument(
        "--announce", action="append", default=[], metavar="NAME=KIND", help="catch announcements to this target"
    )
    parser.add_argument(
        "--deployment", action="append", default=[], choices=NAMES, help="have the server of such a deployment, too"
    )
    parser.add_argument("--patience", type=float, default=0.0, metavar="SECONDS", help="how long clients wait")
    parser.add_argument("--starter", type=int, default=0, metavar="PID", help="only what it starts may be killed")
    read = parser.parse_args(arguments)
    for host in read.registry:
        if not re.fullmatch(HOST, host):
            raise ConfigError(
                f"{host!r} is not a registry's host",
                where="--registry",
                next_step=advice.WRITE_IT_AS(example="a host, such as ghcr.io"),
            )
    if not _REPOSITORY.fullmatch(read.repository):
        raise ConfigError(
            f"{read.repository!r} is not a repository",
            where="--repository",
            next_step=advice.WRITE_IT_AS(example="OWNER/NAME"),
        )
    return Options(
        folder=read.folder.absolute(),
        repository=read.repository,
        checkout=read.checkout,
        file_limit=read.file_limit,
        registries=tuple(dict.fromkeys(read.registry)),
        any_platform=read.any_platform,
        tag=read.tag,
        signing=read.signing,
        announce=tuple(map(LocalTarget.parse, read.announce)),
        deployments=tuple(dict.fromkeys(read.deployment)),
        patience=read.patience,
        starter=read.starter,
    )
