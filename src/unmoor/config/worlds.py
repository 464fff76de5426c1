"""Read worlds: the real one, and those in a ``world.toml``.

A world file decides where secrets and releases go, so it is read strictly. One error lists all unknown keys, unsafe
addresses and credentials that other users could read. No message quotes the file, since a secret may be on a wrong
line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.config.addresses import is_loopback
from unmoor.config.credentials import KNOWN, file_beside, is_literal, look_up, token_login
from unmoor.config.read_toml import Faults, parse, read_table
from unmoor.config.real_world import HUB_TOKEN, READTHEDOCS_TOKEN, Roots, real_forge, real_world
from unmoor.config.tables import (
    AnnounceTable,
    ForgeTable,
    IndexTable,
    ProxyTable,
    ReadTheDocsTable,
    RegistryTable,
    SigningTable,
    SpaceTable,
    WorldTable,
)
from unmoor.errors import ConfigError
from unmoor.filesystem.commands import protect_command
from unmoor.filesystem.system import here
from unmoor.ports.world import (
    AnnouncePlace,
    ForgePlace,
    IndexPlace,
    Login,
    ProxyPlace,
    ReadTheDocsPlace,
    RegistryPlace,
    ScanningPlace,
    SigningPlace,
    SpacePlace,
    Trusted,
    WheelPlatforms,
    World,
)
from unmoor.util.secret import Secret
from unmoor.util.text import clean
from unmoor.util.values import replace

__all__ = ["read_world", "real_world"]

_LIMIT = 1_000_000


def read_world(
    path: Path, environ: Mapping[str, str], *, repository: str = "", trusted: Trusted = Trusted.AUTO
) -> World:
    """Read a world file. ``repository`` and ``trusted`` are the project's settings, used if the file has none.

    A credential that cannot be found is empty, with the reason as its origin: the stage ``access`` reports it. Raises
    `ConfigError` with everything that is wrong in the file.
    """
    data, access = _read(path)
    document = parse(data, clean(str(path)))
    faults = Faults(document.source, document.line_of, quotes=False)
    table = read_table(WorldTable, document.table, (), faults)
    if table is None:
        raise faults.error()
    reader = _Reader(file=path, access=access, environ=environ, faults=faults, trusted=trusted)
    reader.refuse_unsafe(table)
    faults.stop()
    return World(
        name=table.name,
        rehearsal=table.rehearsal,
        index=reader.index(table.index),
        staging=reader.index(table.staging) if table.staging else None,
        dependencies=table.dependencies.simple,
        forge=reader.forge(table.forge, repository),
        remote=table.git.remote,
        registries=tuple(reader.registry(each) for each in table.registry),
        signing=reader.signing(table.signing) if table.signing else None,
        scanning=ScanningPlace(service=table.scanning.service) if table.scanning else None,
        space=reader.space(table.space) if table.space else None,
        readthedocs=reader.readthedocs(table.readthedocs) if table.readthedocs else None,
        proxies=tuple(reader.proxy(name, each) for name, each in table.proxy.items()),
        announce=reader.announce(table.announce) if table.announce else None,
        patience=math.inf if table.patience is None else table.patience,
    )


def _read(path: Path) -> tuple[bytes, str]:
    """Read the file, and say how others can read or write it."""
    try:
        with path.open("rb") as stream:
            return stream.read(_LIMIT + 1), here().access_of_others(stream.fileno())
    except OSError as error:
        what, reason = "cannot read this world file", error.strerror or type(error).__name__
    raise ConfigError(
        f"{what}: {reason}",
        where=clean(str(path)),
        next_step=advice.NAME_WORLD_FILE(),
    )


class _Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Converts tables to the places of a world."""

    file: Path
    access: str
    environ: Mapping[str, str]
    faults: Faults
    trusted: Trusted

    def refuse_unsafe(self, table: WorldTable) -> None:
        """Collect faults of values that are well-formed but unsafe."""
        self._refuse_literal(("index", "password"), table.index.password, _addresses(table.index))
        if table.staging:
            self._refuse_literal(("staging", "password"), table.staging.password, _addresses(table.staging))
            if table.staging.upload == table.index.upload:
                self.faults.add(
                    ("staging", "upload"), "the same address as index.upload: nothing would be tested first"
                )
            if table.staging.name == table.index.name:
                self.faults.add(("staging", "name"), "the same name as index.name")
        self._refuse_unsafe_forge(table.forge)
        hosts: set[str] = set()
        for number, registry in enumerate(table.registry, 1):
            key = ("registry", str(number))
            self._refuse_literal((*key, "password"), registry.password, _registry_addresses(registry))
            if registry.host in hosts:
                self.faults.add((*key, "host"), "another table has this host already")
            hosts.add(registry.host)
        if table.signing:
            self._refuse_unsafe_signing(table.signing)
        for name, hub in (("space", table.space), ("readthedocs", table.readthedocs)):
            if hub:
                self._refuse_literal((name, "token"), hub.token, {"address": hub.address})
        if table.rehearsal:
            self._refuse_real(table)

    def _refuse_unsafe_forge(self, forge: ForgeTable) -> None:
        self._refuse_literal(("forge", "token"), forge.token, _forge_addresses(forge))
        if not forge.api and (forge.uploads or forge.site):
            self.faults.add(("forge", "api"), "missing: uploads and site are given, so api must be too")
        elif forge.api and not forge.uploads and Roots.of(forge.api) is None:
            self.faults.add(("forge", "uploads"), "missing: cannot derive it from this api")
        elif forge.api and not forge.site and Roots.of(forge.api) is None:
            self.faults.add(("forge", "site"), "missing: cannot derive it from this api")

    def _refuse_unsafe_signing(self, signing: SigningTable) -> None:
        self._refuse_literal(("signing", "token"), signing.token, _signing_addresses(signing))
        if signing.token and not signing.identity:
            self.faults.add(("signing", "token"), "identity is missing: the token is for requests to it")

    def _refuse_literal(self, key: tuple[str, ...], secret: Secret, addresses: Mapping[str, str]) -> None:
        if not is_literal(secret):
            return
        remote = [name for name, address in addresses.items() if not is_loopback(address)]
        if remote:
            self.faults.add(
                key,
                f"a literal credential is for loopback addresses only, and {'.'.join(key[:-1])}.{remote[0]} is not one",
                next_step=advice.WRITE_REFERENCE(known=KNOWN),
            )
        elif self.access:
            self.faults.add(
                key,
                f"a literal credential in a file that others may read or write ({self.access})",
                next_step=advice.PROTECT_FILE(command=protect_command(self.file)),
            )

    def _refuse_real(self, table: WorldTable) -> None:
        """Collect faults of addresses with which a rehearsal would reach a real surface."""
        places: dict[tuple[str, ...], dict[str, str]] = {
            ("index",): _addresses(table.index),
            ("forge",): _forge_addresses(table.forge),
        }
        if table.staging:
            places["staging",] = _addresses(table.staging)
        for number, registry in enumerate(table.registry, 1):
            places["registry", str(number)] = _registry_addresses(registry)
        if table.signing:
            places["signing",] = _signing_addresses(table.signing)
            self._refuse_public_signing(table.signing)
        if table.scanning:
            places["scanning",] = {"service": table.scanning.service}
        hubs = (("space", table.space), ("readthedocs", table.readthedocs))
        places |= {(name,): {"address": hub.address} for name, hub in hubs if hub}
        for place, addresses in places.items():
            for name, address in addresses.items():
                if not is_loopback(address):
                    self.faults.add((*place, name), "not a loopback address, in a world with rehearsal = true")

    def _refuse_public_signing(self, signing: SigningTable) -> None:
        if not signing.trust:
            self.faults.add(
                ("signing", "trust"), "empty, which is the public instance, in a world with rehearsal = true"
            )
        if not signing.identity:
            self.faults.add(
                ("signing", "identity"), "empty, which is the CI job's own, in a world with rehearsal = true"
            )

    def index(self, table: IndexTable) -> IndexPlace:
        """Create the place of an index, and look up its login."""
        return IndexPlace(
            name=table.name,
            upload=table.upload,
            simple=table.simple,
            json=table.json,
            page=table.page or f"{table.simple}{{project}}/",
            platforms=WheelPlatforms(table.platforms),
            login=self._login(table.password, table.username),
            trusted=Trusted(table.trusted_publishing) if table.trusted_publishing else self.trusted,
        )

    def forge(self, table: ForgeTable, repository: str) -> ForgePlace:
        """Create the place of the forge. Without an address it is the real one, with the usual token."""
        own = table.repository or repository
        if not table.api:
            real = real_forge(own, self.environ)
            login = self._login(table.token, "") if table.token else real.login
            return replace(real, login=login, trust=self._beside(table.trust))
        roots = Roots.of(table.api)
        return ForgePlace(
            api=table.api,
            uploads=table.uploads or (roots.uploads if roots else ""),
            site=table.site or (roots.site if roots else ""),
            repository=own,
            login=self._login(table.token, ""),
            trust=self._beside(table.trust),
        )

    def registry(self, table: RegistryTable) -> RegistryPlace:
        """Create the place of a registry, and look up its login."""
        address = table.address or f"https://{table.host}"
        return RegistryPlace(host=table.host, address=address, login=self._login(table.password, table.username))

    def signing(self, table: SigningTable) -> SigningPlace:
        """Create the place of a Sigstore instance, and look up the token for its ID tokens."""
        trust = self._beside(table.trust)
        if not table.identity:
            return SigningPlace(trust=trust)
        return SigningPlace(trust=trust, identity=table.identity, token=self._login(table.token, ""))

    def space(self, table: SpaceTable) -> SpacePlace:
        """Create the place of a hub, and look up its token."""
        return SpacePlace(address=table.address, login=self._token(table.token, HUB_TOKEN, table.address))

    def readthedocs(self, table: ReadTheDocsTable) -> ReadTheDocsPlace:
        """Create the place of Read the Docs, and look up its token."""
        login = self._token(table.token, READTHEDOCS_TOKEN, table.address)
        return ReadTheDocsPlace(address=table.address, login=login)

    def proxy(self, service: str, table: ProxyTable) -> ProxyPlace:
        """Create the place of a proxy."""
        return ProxyPlace(
            service=service,
            socket=self._beside(table.socket),
            state=self._beside(table.state),
            address=table.address,
        )

    def announce(self, table: AnnounceTable) -> AnnouncePlace:
        """Create the places of messages, and look up their addresses."""
        targets = tuple((name, self._login(each, "")) for name, each in table.targets.items())
        return AnnouncePlace(targets=targets, catcher=table.catcher)

    def _token(self, secret: Secret, variable: str, address: str) -> Login:
        """The token of a service. The one in the usual variable goes to the public service alone."""
        return self._login(secret, "") if secret or address else token_login(variable, self.environ)

    def _beside(self, path: str) -> str:
        """The path of a file that the world file names; empty if it names none."""
        return str(file_beside(self.file, path, self.environ)) if path else ""

    def _login(self, secret: Secret, username: str) -> Login:
        return look_up(secret, username=username, environ=self.environ, world_file=self.file)


def _addresses(table: IndexTable) -> dict[str, str]:
    """The addresses of an index that a login may be sent to."""
    every = {"upload": table.upload, "simple": table.simple, "json": table.json}
    return {name: address for name, address in every.items() if address}


def _registry_addresses(table: RegistryTable) -> dict[str, str]:
    """The address of a registry that a login may be sent to. An empty one means the real registry."""
    return {"address": table.address}


def _signing_addresses(table: SigningTable) -> dict[str, str]:
    """The address that the token for ID tokens may be sent to. An empty one means the CI job's own."""
    return {"identity": table.identity.format(tag="v1")} if table.identity else {}


def _forge_addresses(table: ForgeTable) -> dict[str, str]:
    """The addresses of a forge that a token may be sent to. An empty ``api`` means the real forge."""
    return {"api": table.api} | ({"uploads": table.uploads} if table.uploads else {})
