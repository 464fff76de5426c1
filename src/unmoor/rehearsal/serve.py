"""The process of the local world: ``python -m unmoor.rehearsal.serve DIR --repository OWNER/NAME``.

Without arguments, it loads its modules and reads them from its stdin, as one line of JSON: a list. It listens on the
ports that the world had before, writes ``DIR/world.toml``, prints one line of JSON on stdout when it is ready, and
exits at the end of its stdin, so it cannot outlive its parent. SIGTERM and SIGINT stop it, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from unmoor import advice
from unmoor.adapters.process.servers import wait_for_end_of_stdin
from unmoor.adapters.process.system import this_system
from unmoor.advice import NextStep
from unmoor.errors import UnmoorError
from unmoor.filesystem.locks import exclusive_lock
from unmoor.filesystem.safe_folder import make_private, open_in_place
from unmoor.ports.system import System
from unmoor.ports.world import WheelPlatforms
from unmoor.rehearsal.announce import world as announce_world
from unmoor.rehearsal.deployments import tables
from unmoor.rehearsal.listening import listen
from unmoor.rehearsal.options import Options, options
from unmoor.rehearsal.registry.site import Site
from unmoor.rehearsal.shared import remote, worldfile
from unmoor.rehearsal.shared.job_tokens import JobTokens
from unmoor.rehearsal.shared.worldfile import Addresses

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from unmoor.rehearsal.registry.proxy import Proxy
    from unmoor.rehearsal.registry.registries import Registries

GRACE = 2.0


def locked(folder: Path) -> AbstractContextManager[object]:
    """Lock the folder, because two worlds in it would overwrite each other's state. Raises `Refused`."""
    make_private(folder)
    next_step = advice.STOP_OTHER_WORLD()
    return exclusive_lock(
        folder, name="lock", busy="another world is running here", next_step=next_step, retryable=False
    )


def begin_registries(
    chosen: Options, started: Registries, addresses: Mapping[str, str], system: System
) -> tuple[Mapping[int, Proxy], str]:
    """Begin to start the registries. Return their proxies by port, and why there are none if they cannot run."""
    if system.why_no_images:
        return {}, system.why_no_images
    from unmoor.rehearsal.registry import registries

    runner = registries.find_runner()
    if runner is None:
        return {}, registries.MISSING
    from unmoor.rehearsal.registry.proxy import Logins, Proxy
    from unmoor.rehearsal.registry.rules import Rules
    from unmoor.rehearsal.registry.tokens import Signer
    from unmoor.rehearsal.registry.upstream import Upstream

    signer, tokens = Signer.make(), worldfile.credentials(chosen.folder)
    logins = Logins(writer=tokens.registry, reader=tokens.registry_read, jobs=JobTokens(folder=chosen.folder))
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
        wait_for_end_of_stdin()
        if self._stop is not None:
            self._stop()
            threading.Event().wait(GRACE)
        os._exit(0)


async def _serve(
    app: ASGIApp, sockets: dict[str, socket.socket], ready: str, life: ParentWatch, chosen: Options
) -> None:
    from unmoor.rehearsal.server import Server

    server = Server(app)
    mail = sockets.pop(announce_world.MAIL, None)
    inbox = await announce_world.serve_mail(chosen.folder, chosen.announce, mail) if mail is not None else None
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.call_soon_threadsafe(server.stop_requested.set)

    life.on_end(stop)
    sys.stdout.write(ready + "\n")
    sys.stdout.flush()
    await server.serve(sockets=list(sockets.values()))
    if inbox is not None:
        inbox.close()


def serve(chosen: Options) -> None:
    """Serve until stopped. Raises `Refused`, `ToolMissing`, `TimedOut`, `Unknown`."""
    life = ParentWatch()
    checkout = chosen.checkout.absolute() if chosen.checkout else None
    with locked(chosen.folder), _registries(chosen) as started:
        if started:
            # The path of a socket has at most 107 bytes; a relative path is short.
            os.chdir(chosen.folder)
        begun = remote.begin(chosen.folder, checkout)
        announce_world.require_parts(chosen.announce)
        names = (*Addresses.__struct_fields__, *announce_world.servers(chosen.announce), *chosen.registries)
        listening = listen(chosen.folder, (*names, *chosen.deployments))
        at = listening.addresses
        addresses = Addresses(**{name: at[name] for name in Addresses.__struct_fields__})
        registries = {host: at[host] for host in chosen.registries}
        deployments = {name: at[name] for name in chosen.deployments}
        proxies, lacking = begin_registries(chosen, started, registries, this_system()) if started else ({}, "")
        if lacking:
            registries = {}
        log = open_in_place(chosen.folder / "requests.jsonl", flags=os.O_WRONLY | os.O_APPEND, mode=0o600)
        # The clone is made while this loads.
        from unmoor.rehearsal.apps import Served, build

        git = remote.Remote(chosen.folder / "remote.git")
        chats = at.get(announce_world.CHAT, "")
        served = Served(addresses=addresses, git=git, proxies=proxies, announce=chats, deployments=deployments)
        app = build(chosen, served, log)
        remote.finish(chosen.folder, begun)
        if started:
            started.wait()
        tokens = worldfile.credentials(chosen.folder)
        file = worldfile.write(
            chosen.folder,
            addresses=addresses,
            credentials=tokens,
            repository=chosen.repository,
            registries=registries,
            platforms=WheelPlatforms.LENIENT if chosen.any_platform else WheelPlatforms.PUBLIC,
            patience=chosen.patience,
            more=tables(deployments, tokens)
            + announce_world.table(chosen.folder, chosen.announce, tokens.announce, at),
        )
        facts = {"world": str(file), "pid": os.getpid(), **asdict(addresses)}
        ready = json.dumps(
            {**facts, "registries": registries, "no_registry": lacking, "moved": listening.moved}
            | {"deployments": deployments}
        )
        # uvicorn raises the signal that ended it again, once it has closed everything.
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(app, listening.sockets, ready, life, chosen))


def _told() -> list[str]:
    """Load what every world needs, and read the arguments from stdin. Exits if it ends without any."""
    from unmoor.rehearsal import apps, server

    del apps, server
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
