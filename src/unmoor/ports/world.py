"""A world: the surfaces that a run talks to, as values. ``config.worlds`` reads them from a file."""

from __future__ import annotations

import math
from enum import StrEnum
from urllib.parse import quote

import msgspec

from unmoor.util.secret import Secret
from unmoor.util.values import replace


class Lookup(StrEnum):
    """Where a credential comes from, besides a literal: the part before the colon in ``world.toml``."""

    ENV = "env"
    FILE = "file"
    KEYRING = "keyring"


class Trusted(StrEnum):
    """Whether uploads use trusted publishing: the index gives the CI job a token that is valid for minutes.

    ``auto``: if there is no other credential and the job has an identity. ``always``: never anything else.
    """

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class WheelPlatforms(StrEnum):
    """The platforms of the wheels that an index accepts, the strictest first.

    ``public``: those that PyPI accepts. ``lenient``: any, as a stand-in for PyPI: a run warns about those that PyPI
    refuses. ``any``: any.
    """

    PUBLIC = "public"
    LENIENT = "lenient"
    ANY = "any"


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A credential, and where it came from, as text. ``secret`` is empty if there is none."""

    username: str
    secret: Secret
    origin: str


class IndexPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A package index: where to upload (the legacy upload API), and where to read.

    ``simple`` is the root of the simple index (PEP 503, PEP 691), ``json`` the root of
    ``<project>/<version>/json``, empty if the index has none. ``page`` is the web address of a project, with
    ``{project}`` and ``{version}`` in it.
    """

    name: str
    upload: str
    simple: str
    json: str
    page: str
    login: Login
    trusted: Trusted = Trusted.NEVER
    platforms: WheelPlatforms = WheelPlatforms.PUBLIC


class ForgePlace(msgspec.Struct, frozen=True, kw_only=True):
    """GitHub or GitHub Enterprise: the root of the API, the upload host, the web site, the repository.

    ``api`` is ``https://api.github.com`` or ``http(s)://HOST/api/v3``; ``uploads`` and ``site`` are roots too.
    ``trust`` is the path of a trusted root with the keys that sign what the forge says itself; empty if there is none.
    """

    api: str
    uploads: str
    site: str
    repository: str
    login: Login
    trust: str = ""


class RegistryPlace(msgspec.Struct, frozen=True, kw_only=True):
    """An OCI registry: ``host`` as in image names (``ghcr.io``), ``address`` where it is in this world.

    ``address`` is ``https://ghcr.io``, or ``http://127.0.0.1:PORT`` in a local world.
    """

    host: str
    address: str
    login: Login


class SigningPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A Sigstore instance, and who gives this process the ID tokens that it signs with.

    ``trust`` is the path of a client trust config, which has the instance's addresses and trusted keys; empty means
    the public instance. The local world writes that file before it answers the first request for an ID token.
    ``identity`` is an address that answers ``GET ?audience=…`` with an ID token, as GitHub's does, with ``{tag}`` for
    the tag that is released; empty means the identity of this CI job. ``token`` is what it asks for, as a bearer token.
    """

    trust: str = ""
    identity: str = ""
    token: Login = Login(username="", secret=Secret(""), origin="the identity of this CI job")


class ScanningPlace(msgspec.Struct, frozen=True, kw_only=True):
    """The service to ask for known vulnerabilities: the root of OSV's API, empty for the public one."""

    service: str = ""


class SpacePlace(msgspec.Struct, frozen=True, kw_only=True):
    """A hub of Spaces: the root of its API, empty for the public one, and the token that commits to them."""

    address: str = ""
    login: Login


class ReadTheDocsPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Read the Docs: the root of its API, empty for the public one, and the token that starts builds."""

    address: str = ""
    login: Login


class ProxyPlace(msgspec.Struct, frozen=True, kw_only=True):
    """An HAProxy on this machine, in front of one service, or with ``service`` empty of each that has no other.

    ``socket`` is the path of its runtime socket, ``state`` that of the file in which it keeps the state of its servers,
    empty for none. ``address`` is where users reach the service, empty if it is not known.
    """

    service: str
    socket: str
    state: str = ""
    address: str = ""


class AnnouncePlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where messages go: the address of each target, by its name in the settings.

    ``targets`` is ``None`` if they are in the environment variables that the settings name, as in the real world.
    ``catcher`` is the root of servers that stand in for Slack and Discord, whose addresses do not name a server.
    """

    targets: tuple[tuple[str, Login], ...] | None = None
    catcher: str = ""


class World(msgspec.Struct, frozen=True, kw_only=True):
    """All the surfaces of a run.

    ``staging`` is ``None`` in a world without a staging index. ``registries`` are those that the world describes; any
    other is at the host in its name. ``dependencies`` is the simple index that dependencies come from; empty means the
    installer's own configuration. ``remote`` is the git remote: a name in the checkout, a path or an address.
    ``signing`` is ``None`` in a world in which nothing can be signed, ``scanning`` in one in which no service is asked
    for vulnerabilities. ``space``, ``readthedocs`` and ``announce`` are ``None`` in a world without such a surface;
    ``proxies`` are those of the services that are deployed on this machine. ``patience`` is the most seconds to wait
    for a server of this world; infinite if each wait has its own limit only.
    """

    name: str
    rehearsal: bool
    index: IndexPlace
    staging: IndexPlace | None
    dependencies: str
    forge: ForgePlace
    remote: str
    registries: tuple[RegistryPlace, ...] = ()
    signing: SigningPlace | None = None
    scanning: ScanningPlace | None = None
    space: SpacePlace | None = None
    readthedocs: ReadTheDocsPlace | None = None
    proxies: tuple[ProxyPlace, ...] = ()
    announce: AnnouncePlace | None = None
    patience: float = math.inf

    @property
    def logins(self) -> tuple[Login, ...]:
        """Every login of the world."""
        places = (self.staging, self.space, self.readthedocs)
        found = [self.index.login, self.forge.login, *(each.login for each in self.registries)]
        found += [place.login for place in places if place is not None]
        found += [login for _, login in (self.announce.targets or ())] if self.announce is not None else []
        return (*found, self.signing.token) if self.signing is not None else tuple(found)

    def proxy(self, service: str) -> ProxyPlace | None:
        """The proxy in front of a service, ``None`` if this world has none."""
        named = {place.service: place for place in self.proxies}
        return named.get(service) or named.get("")

    def for_tag(self, tag: str) -> World:
        """The same world for the release of a tag: ID tokens are those of a run of that tag."""
        if self.signing is None or "{tag}" not in self.signing.identity:
            return self
        identity = self.signing.identity.replace("{tag}", quote(tag, safe=""))
        return replace(self, signing=replace(self.signing, identity=identity))

    def wheel_platforms(self, *, staged: bool) -> WheelPlatforms:
        """Which wheels every index accepts: what the strictest one says. ``staged``: including the staging index."""
        used = (self.index, self.staging) if staged else (self.index,)
        every = {place.platforms for place in used if place is not None}
        return next(each for each in WheelPlatforms if each in every)
