"""The process of the local world: ``python -m unmoor.rehearsal.serve DIR --repository OWNER/NAME``.

Without arguments, it loads its modules and reads them from its stdin, as one line of JSON: a list. It listens on the
ports that the world had before, writes ``DIR/world.toml``, prints one line of JSON on stdout when it is ready, and
exits at the end of its stdin, so it cannot outlive its parent. SIGTERM and SIGINT stop it, too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import asdict

from unmoor import advice
from unmoor.advice import NextStep
from unmoor.config.addresses import HOST
from unmoor.errors import ConfigError, UnmoorError
from unmoor.ports.world import WheelPlatforms
from unmoor.rehearsal.listening import listen
from unmoor.rehearsal.registry.site import Site
from unmoor.rehearsal.shared import remote, worldfile
from unmoor.rehearsal.shared.worldfile import Addresses
from unmoor.util.filelock import exclusive_lock
from unmoor.util.safe_folder import make_private, open_in_place

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from unmoor.rehearsal.github.packages import PackageStore
    from unmoor.rehearsal.registry.proxy import Proxy
    from unmoor.rehearsal.registry.registries import Registries

GRACE = 2.0
FILE_LIMIT = 100 << 20
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The command line: ``file_limit`` in bytes, ``registries`` the hosts to start a registry for.

    ``any_platform``: the indexes take wheels for any platform, and the world file says so. ``tag`` is the one that ID
    tokens are for; if it is empty, the newest. ``signing``: the keys of Sigstore are made at the start
    instead of at the first use.
    """

    folder: Path
    repository: str
    checkout: Path | None
    file_limit: int
    registries: tuple[str, ...] = ()
    any_platform: bool = False
    tag: str = ""
    signing: bool = False


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
    )


def locked(folder: Path) -> AbstractContextManager[object]:
    """Lock the folder, because two worlds in it would overwrite each other's state. Raises `Refused`."""
    make_private(folder)
    next_step = advice.STOP_OTHER_WORLD()
    return exclusive_lock(
        folder, name="lock", busy="another world is running here", next_step=next_step, retryable=False
    )


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of the servers: their addresses, the remote, and the proxies of registries by port."""

    addresses: Addresses
    git: remote.Remote
    proxies: Mapping[int, Proxy]

    @property
    def package_store(self) -> PackageStore | None:
        """The packages of GHCR; ``None`` if this world has no GHCR."""
        from unmoor.rehearsal.github.packages import PackageStore

        ghcr = next((proxy for proxy in self.proxies.values() if proxy.rules.is_ghcr), None)
        return PackageStore(rules=ghcr.rules, signer=ghcr.signer, upstream=ghcr.upstream) if ghcr else None


def build(chosen: Options, served: Served, log: int) -> ASGIApp:
    """Build the servers as one ASGI app."""
    from unmoor.rehearsal.github import app as github_app
    from unmoor.rehearsal.index import app as index_app
    from unmoor.rehearsal.index.attestations import preload
    from unmoor.rehearsal.index.trusted_publishing import Publisher
    from unmoor.rehearsal.index.upload_api import Tokens
    from unmoor.rehearsal.shared import oidc
    from unmoor.rehearsal.shared.http import Logged, Ports
    from unmoor.rehearsal.sigstore import app as sigstore_app

    tokens, addresses = worldfile.credentials(chosen.folder), served.addresses
    api, storage = github_app.apps(
        chosen.folder / "forge",
        addresses=addresses,
        repository=chosen.repository,
        remote=served.git,
        tokens=tokens,
        package_store=served.package_store,
    )

    def begin_signing(audience: str) -> None:
        if audience == sigstore_app.AUDIENCE:
            instance.begin()
            preload()

    trusted = oidc.Issuer(
        folder=chosen.folder / "issuer",
        base=addresses.issuer,
        repository=chosen.repository,
        runner=tokens.runner,
        remote=served.git,
        tag=chosen.tag,
        on_request=begin_signing,
    )
    instance = sigstore_app.Sigstore(
        folder=chosen.folder / "sigstore",
        base=addresses.sigstore,
        issuer=trusted,
        trust=chosen.folder / worldfile.TRUST,
    )

    publisher = Publisher(project="", repository=chosen.repository, workflow=oidc.WORKFLOW)

    def at(name: str, base: str, token: str, api: str) -> ASGIApp:
        return index_app.app(
            chosen.folder / name,
            base=base,
            tokens=Tokens(token=token, api=api, publisher=publisher),
            limit=chosen.file_limit,
            issuer=trusted,
            trust=instance.trusted,
            any_platform=chosen.any_platform,
        )

    apps: dict[str, ASGIApp] = {
        "pypi": at("pypi", addresses.pypi, tokens.pypi, tokens.pypi_api),
        "testpypi": at("testpypi", addresses.testpypi, tokens.testpypi, tokens.testpypi_api),
        "forge": api,
        "storage": storage,
        "issuer": oidc.app(trusted),
        "sigstore": sigstore_app.app(instance),
    }
    if chosen.signing:
        instance.begin()
    ports = {name: int(address.rpartition(":")[2]) for name, address in asdict(addresses).items()}
    logged = {ports[name]: Logged(app, server=name, log=log) for name, app in apps.items()}
    return Ports(logged | {port: Logged(app, server="registry", log=log) for port, app in served.proxies.items()})


def begin_registries(
    chosen: Options, started: Registries, addresses: Mapping[str, str]
) -> tuple[Mapping[int, Proxy], str]:
    """Begin to start the registries. Return their proxies by port, and why there are none if they cannot run."""
    from unmoor.rehearsal.registry import registries

    runner = registries.find_runner()
    if runner is None:
        return {}, registries.MISSING
    from unmoor.rehearsal.registry.proxy import Logins, Proxy
    from unmoor.rehearsal.registry.rules import Rules
    from unmoor.rehearsal.registry.tokens import Signer
    from unmoor.rehearsal.registry.upstream import Upstream

    signer, tokens = Signer.make(), worldfile.credentials(chosen.folder)
    logins = Logins(writer=tokens.registry, reader=tokens.registry_read)
    owner = chosen.repository.partition("/")[0].lower()
    proxies = {}
    sites = tuple(Site(folder=chosen.folder / "registry" / host, host=host) for host in addresses)
    for site in sites:
        at = addresses[site.host]
        site.configure(address=at, certificate=signer.pem)
        rules, upstream = Rules(site=site, owner=owner), Upstream(site.socket)
        proxies[int(at.rpartition(":")[2])] = Proxy(rules=rules, logins=logins, signer=signer, upstream=upstream)
    started.begin(runner, sites)
    return proxies, ""


def _registries(chosen: Options) -> AbstractContextManager[Registries | None]:
    """The registries to start. A world without any does not load the client of container engines."""
    if not chosen.registries:
        return contextlib.nullcontext()
    from unmoor.rehearsal.registry.registries import Registries

    return Registries()


class ParentWatch:
    """Waits in a thread for the end of stdin, which means that the parent is gone, and then ends this process."""

    def __init__(self) -> None:
        self._stop: Callable[[], None] | None = None
        threading.Thread(target=self._wait, daemon=True).start()

    def on_end(self, stop: Callable[[], None]) -> None:
        """Set how to stop cleanly; before that the process just exits."""
        self._stop = stop

    def _wait(self) -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        if self._stop is not None:
            self._stop()
            threading.Event().wait(GRACE)
        os._exit(0)


async def _serve(app: ASGIApp, sockets: list[socket.socket], ready: str, life: ParentWatch) -> None:
    from unmoor.rehearsal.server import Server

    server = Server(app)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.call_soon_threadsafe(server.stop_requested.set)

    life.on_end(stop)
    sys.stdout.write(ready + "\n")
    sys.stdout.flush()
    await server.serve(sockets=sockets)


def serve(chosen: Options) -> None:
    """Serve until stopped. Raises `Refused`, `ToolMissing`, `TimedOut`, `Unknown`."""
    life = ParentWatch()
    checkout = chosen.checkout.absolute() if chosen.checkout else None
    with locked(chosen.folder), _registries(chosen) as started:
        # The path of a socket has at most 107 bytes; a relative path is short.
        os.chdir(chosen.folder)
        begun = remote.begin(chosen.folder, checkout)
        listening = listen(chosen.folder, (*Addresses.__struct_fields__, *chosen.registries))
        at = listening.addresses
        addresses = Addresses(**{name: at[name] for name in Addresses.__struct_fields__})
        registries = {host: at[host] for host in chosen.registries}
        proxies, lacking = begin_registries(chosen, started, registries) if started else ({}, "")
        if lacking:
            registries = {}
        log = open_in_place(chosen.folder / "requests.jsonl", flags=os.O_WRONLY | os.O_APPEND, mode=0o600)
        app = build(
            chosen, Served(addresses=addresses, git=remote.Remote(chosen.folder / "remote.git"), proxies=proxies), log
        )
        remote.finish(chosen.folder, begun)
        if started:
            started.wait()
        file = worldfile.write(
            chosen.folder,
            addresses=addresses,
            credentials=worldfile.credentials(chosen.folder),
            repository=chosen.repository,
            registries=registries,
            platforms=WheelPlatforms.LENIENT if chosen.any_platform else WheelPlatforms.PUBLIC,
        )
        facts = {"world": str(file), "pid": os.getpid(), **asdict(addresses)}
        ready = json.dumps({**facts, "registries": registries, "no_registry": lacking, "moved": listening.moved})
        # uvicorn raises the signal that ended it again, once it has closed everything.
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(app, list(listening.sockets.values()), ready, life))


def _told() -> list[str]:
    """Load what every world needs, and read the arguments from stdin. Exits if it ends without any."""
    from unmoor.rehearsal import server
    from unmoor.rehearsal.github import app as github_app
    from unmoor.rehearsal.index import app as index_app
    from unmoor.rehearsal.shared import http, oidc
    from unmoor.rehearsal.sigstore import app as sigstore_app

    del server, github_app, index_app, sigstore_app, http, oidc
    line = b""
    while not line.endswith(b"\n"):
        if not (piece := os.read(0, 65_536)):
            raise SystemExit(0)
        line += piece
    told: list[str] = json.loads(line)
    return told


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve. Report an error as a line on stderr, as JSON on stdout for the parent, and as an exit code."""
    try:
        serve(options((sys.argv[1:] or _told()) if arguments is None else arguments))
    except UnmoorError as error:
        steps = {name: [str(step), *step.ids] for name, step in vars(error).items() if isinstance(step, NextStep)}
        facts = {"what": error.what, "where": error.where, **error.advice, **steps}
        sys.stdout.write(json.dumps({"kind": error.kind, "error": facts}) + "\n")
        sys.stderr.write(f"{error.in_brief(where=True)}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
