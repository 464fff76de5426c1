"""The process of the local world: ``python -m unmoor.rehearsal.serve DIR --repository OWNER/NAME``.

It listens on ports that the system chooses, writes ``DIR/world.toml``, prints one line of JSON
on stdout when it is ready, and ends when its stdin does: it cannot outlive its parent, whatever
that one dies of. SIGTERM and SIGINT end it too.
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
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from unmoor.config.addresses import HOST
from unmoor.errors import ConfigError, UnmoorError
from unmoor.rehearsal.registry.registries import Registries
from unmoor.rehearsal.registry.site import Site
from unmoor.rehearsal.shared import remote, worldfile
from unmoor.rehearsal.shared.worldfile import Places
from unmoor.util.filelock import exclusive_lock

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from unmoor.rehearsal.github.packages import Shelf
    from unmoor.rehearsal.registry.proxy import Proxy

GRACE = 2.0
BACKLOG = 128
FILE_LIMIT = 100 << 20
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says; ``file_limit`` in bytes, ``registries`` the hosts that have one here."""

    folder: Path
    repository: str
    checkout: Path | None
    file_limit: int
    registries: tuple[str, ...] = ()


def options(arguments: Sequence[str]) -> Options:
    """Read the command line. Raises `ConfigError` for a repository that is none."""
    parser = argparse.ArgumentParser(prog="python -m unmoor.rehearsal.serve", description="Serve a local world.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the world's state lies")
    parser.add_argument("--repository", required=True, metavar="OWNER/NAME", help="the repository on the forge")
    parser.add_argument("--checkout", type=Path, metavar="PATH", help="a git repository; the remote is cloned from it")
    parser.add_argument("--file-limit", type=int, default=FILE_LIMIT, metavar="BYTES", help="largest file of an index")
    parser.add_argument(
        "--registry", action="append", default=[], metavar="HOST", help="a registry for images of HOST, such as ghcr.io"
    )
    read = parser.parse_args(arguments)
    for host in read.registry:
        if not re.fullmatch(HOST, host):
            raise ConfigError(
                f"{host!r} is not a registry's host", where="--registry", next_step="write a host, such as ghcr.io"
            )
    if not _REPOSITORY.fullmatch(read.repository):
        raise ConfigError(
            f"{read.repository!r} is not a repository", where="--repository", next_step="write OWNER/NAME"
        )
    return Options(
        folder=read.folder.absolute(),
        repository=read.repository,
        checkout=read.checkout,
        file_limit=read.file_limit,
        registries=tuple(dict.fromkeys(read.registry)),
    )


def locked(folder: Path) -> AbstractContextManager[None]:
    """Hold the folder: two worlds in one would write over each other. Raises `Refused`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    next_step = "stop it, or choose another folder"
    return exclusive_lock(
        folder, name="lock", busy="another world is running here", next_step=next_step, retryable=False
    )


class Ports:
    """One ASGI app for several sockets: each request goes to the app of the port it came to."""

    def __init__(self, apps: Mapping[int, ASGIApp]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._apps[scope["server"][1]](scope, receive, send)


def bound() -> socket.socket:
    """A listening socket on a port of 127.0.0.1 that the system chose."""
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it, each answer takes 40 ms.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.bind(("127.0.0.1", 0))
    made.listen(BACKLOG)
    made.set_inheritable(False)
    return made


def address(made: socket.socket) -> str:
    """The address of a socket, without a slash at the end."""
    return f"http://127.0.0.1:{made.getsockname()[1]}"


@dataclass(frozen=True, kw_only=True)
class Served:
    """What the servers are made of: where they listen, the remote, the proxies of registries by their port."""

    places: Places
    git: remote.Remote
    proxies: Mapping[int, Proxy]

    @property
    def shelf(self) -> Shelf | None:
        """The packages of GHCR, where it is here."""
        from unmoor.rehearsal.github.packages import Shelf

        ghcr = next((proxy for proxy in self.proxies.values() if proxy.rules.is_ghcr), None)
        return Shelf(rules=ghcr.rules, signer=ghcr.signer, upstream=ghcr.upstream) if ghcr else None


def build(chosen: Options, served: Served, log: int) -> ASGIApp:
    """Put the servers together."""
    from unmoor.rehearsal.github import app as github_app
    from unmoor.rehearsal.index import app as index_app
    from unmoor.rehearsal.shared import oidc
    from unmoor.rehearsal.shared.http import Logged

    tokens, places = worldfile.credentials(chosen.folder), served.places
    api, storage = github_app.apps(
        chosen.folder / "forge",
        places=places,
        repository=chosen.repository,
        remote=served.git,
        tokens=tokens,
        shelf=served.shelf,
    )
    trusted = oidc.Issuer(
        folder=chosen.folder / "issuer", base=places.issuer, repository=chosen.repository, runner=tokens.runner
    )

    def at(name: str, base: str, token: str) -> ASGIApp:
        return index_app.app(chosen.folder / name, base=base, token=token, limit=chosen.file_limit, issuer=trusted)

    apps: dict[str, ASGIApp] = {
        "pypi": at("pypi", places.pypi, tokens.pypi),
        "testpypi": at("testpypi", places.testpypi, tokens.testpypi),
        "forge": api,
        "storage": storage,
        "issuer": oidc.app(trusted),
    }
    ports = {name: int(address.rpartition(":")[2]) for name, address in asdict(places).items()}
    logged = {ports[name]: Logged(app, server=name, log=log) for name, app in apps.items()}
    return Ports(logged | {port: Logged(app, server="registry", log=log) for port, app in served.proxies.items()})


def begin_registries(
    chosen: Options, started: Registries, addresses: Mapping[str, str]
) -> tuple[Mapping[int, Proxy], str]:
    """Begin to start the registries; say what stands before each, by its port, and else why there is none."""
    from unmoor.rehearsal.registry import registries

    runner = registries.found()
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


class ParentWatch:
    """Waits in a thread for the end of stdin, which is the end of our parent, and then ends us."""

    def __init__(self) -> None:
        self._stop: Callable[[], None] | None = None
        threading.Thread(target=self._wait, daemon=True).start()

    def ends(self, stop: Callable[[], None]) -> None:
        """Say how to end in good order; before that the process just ends."""
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
        loop.call_soon_threadsafe(server.told.set)

    life.ends(stop)
    sys.stdout.write(ready + "\n")
    sys.stdout.flush()
    await server.serve(sockets=sockets)


def serve(chosen: Options) -> None:
    """Serve until told to stop. Raises `Refused`, `ToolMissing`, `TimedOut`, `Unknown`."""
    life = ParentWatch()
    checkout = chosen.checkout.absolute() if chosen.checkout else None
    with locked(chosen.folder), Registries() as started:
        # The path of a socket may be 107 bytes long: below here it is short.
        os.chdir(chosen.folder)
        begun = remote.begin(chosen.folder, checkout)
        sockets = [bound() for _ in (*fields(Places), *chosen.registries)]
        ports = [address(made) for made in sockets]
        places = Places(**{each.name: at for each, at in zip(fields(Places), ports, strict=False)})
        registries = dict(zip(chosen.registries, ports[len(fields(Places)) :], strict=True))
        proxies, lacking = begin_registries(chosen, started, registries) if registries else ({}, "")
        if lacking:
            registries = {}
        log = os.open(chosen.folder / "requests.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        app = build(
            chosen, Served(places=places, git=remote.Remote(chosen.folder / "remote.git"), proxies=proxies), log
        )
        remote.finish(chosen.folder, begun)
        started.wait()
        file = worldfile.write(
            chosen.folder,
            places=places,
            credentials=worldfile.credentials(chosen.folder),
            repository=chosen.repository,
            registries=registries,
        )
        said = {"world": str(file), "pid": os.getpid(), **asdict(places)}
        ready = json.dumps({**said, "registries": registries, "no_registry": lacking})
        # uvicorn sends a signal that ended it to itself again, once it has closed everything.
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(app, sockets, ready, life))


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve; a mistake is one line on stderr, the same as JSON on stdout for a parent, and an exit code."""
    try:
        serve(options(sys.argv[1:] if arguments is None else arguments))
    except UnmoorError as error:
        said = {"what": error.what, "where": error.where, **error.advice}
        sys.stdout.write(json.dumps({"kind": error.kind, "error": said}) + "\n")
        sys.stderr.write(f"{error.in_brief(where=True)}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
