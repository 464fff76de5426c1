"""The servers of the local world, put together as one ASGI app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import asdict

from unmoor.rehearsal import deployments
from unmoor.rehearsal.announce import world as announce_world
from unmoor.rehearsal.faults.counting import Counting
from unmoor.rehearsal.faults.layer import FaultLayer
from unmoor.rehearsal.faults.routes import nth_registry
from unmoor.rehearsal.github import app as github_app
from unmoor.rehearsal.github.packages import PackageStore
from unmoor.rehearsal.index import app as index_app
from unmoor.rehearsal.index.attestations import preload
from unmoor.rehearsal.index.trusted_publishing import Publisher
from unmoor.rehearsal.index.upload_api import Tokens
from unmoor.rehearsal.options import Options
from unmoor.rehearsal.shared import oidc, remote, worldfile
from unmoor.rehearsal.shared.http import Logged, Ports
from unmoor.rehearsal.shared.job_tokens import JobTokens
from unmoor.rehearsal.shared.worldfile import Addresses, Credentials
from unmoor.rehearsal.sigstore import app as sigstore_app
from unmoor.rehearsal.sigstore.app import Sigstore

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from unmoor.rehearsal.registry.proxy import Proxy


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of the servers: their addresses, the remote, and the proxies of registries by port.

    ``announce`` is the address of the chats, empty if there are none.
    ``deployments`` are the addresses of the servers of deployments, by name.
    """

    addresses: Addresses
    git: remote.Remote
    proxies: Mapping[int, Proxy]
    announce: str = ""
    deployments: Mapping[str, str] = msgspec.field(default_factory=dict)

    @property
    def package_store(self) -> PackageStore | None:
        """The packages of GHCR; ``None`` if this world has no GHCR."""
        ghcr = next((proxy for proxy in self.proxies.values() if proxy.rules.is_ghcr), None)
        return PackageStore(rules=ghcr.rules, signer=ghcr.signer, upstream=ghcr.upstream) if ghcr else None


def build(chosen: Options, served: Served, log: int) -> ASGIApp:
    """Build the servers as one ASGI app. ``log`` is the handle of the file for requests."""
    tokens, addresses = worldfile.credentials(chosen.folder), served.addresses
    instance = _sigstore(chosen, served, tokens)
    api, storage = github_app.apps(
        chosen.folder / "forge",
        addresses=addresses,
        repository=chosen.repository,
        remote=served.git,
        tokens=tokens,
        jobs=JobTokens(folder=chosen.folder),
        trust=chosen.folder / worldfile.FORGE_TRUST,
        package_store=served.package_store,
    )

    def index(name: str, base: str, token: str, api: str) -> ASGIApp:
        return index_app.app(
            chosen.folder / name,
            base=base,
            tokens=Tokens(token=token, api=api, publisher=publisher),
            limit=chosen.file_limit,
            issuer=instance.issuer,
            trust=instance.trusted,
            any_platform=chosen.any_platform,
        )

    publisher = Publisher(project="", repository=chosen.repository, workflow=oidc.WORKFLOW)
    apps: dict[str, ASGIApp] = {
        "pypi": index("pypi", addresses.pypi, tokens.pypi, tokens.pypi_api),
        "testpypi": index("testpypi", addresses.testpypi, tokens.testpypi, tokens.testpypi_api),
        "forge": api,
        "storage": storage,
        "issuer": oidc.app(instance.issuer),
        "sigstore": sigstore_app.app(instance),
    }
    every = dict(asdict(addresses))
    if served.announce:
        apps[announce_world.CHAT] = announce_world.chat_app(chosen.folder, chosen.announce, tokens.announce)
        every[announce_world.CHAT] = served.announce
    apps |= deployments.apps(chosen.folder, served.deployments, tokens)
    every |= served.deployments
    ports = {name: int(address.rpartition(":")[2]) for name, address in every.items()}
    counting = Counting(chosen.folder, starter=chosen.starter)
    served_apps = {ports[name]: _served(app, name, name, counting, log) for name, app in apps.items()}
    for number, (port, proxy) in enumerate(served.proxies.items(), start=1):
        served_apps[port] = _served(proxy, nth_registry(number), "registry", counting, log)
    return Ports(served_apps)


def _served(app: ASGIApp, service: str, server: str, counting: Counting, log: int) -> ASGIApp:
    """Put the faults of a service in front of its server, and its log, under the name ``server``, between them."""

    def logged(inner: ASGIApp) -> ASGIApp:
        return Logged(inner, server=server, log=log)

    return FaultLayer(app, service=service, counting=counting, logged=logged)


def _sigstore(chosen: Options, served: Served, tokens: Credentials) -> Sigstore:
    """Make the Sigstore instance and the issuer that it trusts. The first ID token to sign with makes its keys."""

    def begin_signing(audience: str) -> None:
        if audience == sigstore_app.AUDIENCE:
            instance.begin()
            preload()

    issuer = oidc.Issuer(
        folder=chosen.folder / "issuer",
        base=served.addresses.issuer,
        repository=chosen.repository,
        runner=tokens.runner,
        remote=served.git,
        tag=chosen.tag,
        on_request=begin_signing,
    )
    instance = Sigstore(
        folder=chosen.folder / "sigstore",
        base=served.addresses.sigstore,
        issuer=issuer,
        trust=chosen.folder / worldfile.TRUST,
    )
    if chosen.signing:
        instance.begin()
    return instance
