"""Whether the surfaces of a world answer, by one request to each that changes nothing and carries no credential."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec

from unmoor.diagnostics.facts import Answer, FactGroup, Question, absent
from unmoor.errors import Denied, Unknown
from unmoor.ports.forge import ForgeRepository
from unmoor.ports.world import IndexPlace, SigningPlace, World
from unmoor.util.decode import decode_json

# The public instance of Sigstore: its keys (TUF), its authority and its log.
_SIGSTORE = ("https://tuf-repo-cdn.sigstore.dev", "https://fulcio.sigstore.dev", "https://rekor.sigstore.dev")
_VULNERABILITIES = "https://api.osv.dev"
_CONTAINERS = "https://ghcr.io"
_LIMIT = 10_000_000

Ping = Callable[[str], int]
"""Sends a HEAD request to an address and returns the status of the answer. Raises `Unknown` if there is none."""


def surfaces(world: World, ping: Ping, *, show: Callable[[str], str]) -> Iterator[Question]:
    """Yield a question for each address of a world. ``show`` makes an address safe to print."""
    for name, address in _addresses(world):
        yield Question(group=FactGroup.SURFACES, name=name, ask=partial(_reach, address, ping, show))
    yield from _of_signing(world.signing, ping, show)


def repository(look: Callable[[], ForgeRepository], *, token: bool) -> Question:
    """The question whether the repository can be read on the forge. The answer does not name it."""

    def ask() -> Answer:
        try:
            found = look()
        except Denied as error:
            return absent(f"cannot be read: {error.what}")
        writes = {True: "may be written", False: "may not be written", None: "unknown whether it may be written"}
        rights = f", {writes[found.can_push]} with the token" if token else ", without a token"
        return Answer(value=f"can be read{rights}{', archived' if found.archived else ''}")

    return Question(group=FactGroup.SURFACES, name="repository", ask=ask)


def remote(look: Callable[[], object]) -> Question:
    """The question whether the git remote answers."""

    def ask() -> Answer:
        start = time.monotonic()
        try:
            look()
        except Unknown as error:
            return absent(f"does not answer: {error.what}")
        return Answer(value=f"answers in {_milliseconds(start)}")

    return Question(group=FactGroup.SURFACES, name="git remote", ask=ask)


def _addresses(world: World) -> Iterator[tuple[str, str]]:
    for index in (world.index, world.staging):
        if index is not None:
            yield from _of_index(index)
    yield "forge", world.forge.api
    yield "forge, uploads", world.forge.uploads
    registries = {each.host: each.address for each in world.registries}
    if not registries and not world.rehearsal:
        registries = {"registry": _CONTAINERS}
    for host, address in registries.items():
        yield host, f"{address}/v2/"
    if world.scanning is not None:
        yield "vulnerabilities", world.scanning.service or _VULNERABILITIES


def _of_index(index: IndexPlace) -> Iterator[tuple[str, str]]:
    yield index.name, index.simple
    if index.upload.partition("/simple")[0] != index.simple.partition("/simple")[0]:
        yield f"{index.name}, uploads", index.upload


def _of_signing(signing: SigningPlace | None, ping: Ping, show: Callable[[str], str]) -> Iterator[Question]:
    if signing is None:
        yield Question(
            group=FactGroup.SURFACES, name="signing", ask=lambda: absent("none: nothing can be signed in this world")
        )
    elif signing.trust:
        yield Question(group=FactGroup.SURFACES, name="signing", ask=partial(_of_file, signing.trust, ping, show))
    else:
        for address, name in zip(_SIGSTORE, ("signing, keys", "signing", "signing, log"), strict=True):
            yield Question(group=FactGroup.SURFACES, name=name, ask=partial(_reach, address, ping, show))


class _Service(msgspec.Struct, frozen=True):
    url: str = ""


class _Services(msgspec.Struct, frozen=True, rename="camel"):
    ca_urls: tuple[_Service, ...] = ()
    rekor_tlog_urls: tuple[_Service, ...] = ()


class _TrustConfig(msgspec.Struct, frozen=True, rename="camel"):
    signing_config: _Services = _Services()


def _of_file(path: str, ping: Ping, show: Callable[[str], str]) -> Answer:
    """Ask the authority that a trust config names. A local world writes it with the first ID token."""
    try:
        with Path(path).open("rb") as stream:
            found = decode_json(stream.read(_LIMIT), _TrustConfig)
    except FileNotFoundError:
        return absent(f"not started: there is no {path} yet")
    except (OSError, ValueError):
        return absent(f"cannot be read: {path}")
    address = next((each.url for each in found.signing_config.ca_urls if each.url), "")
    return _reach(address, ping, show) if address else absent(f"{path} names no authority")


def _reach(address: str, ping: Ping, show: Callable[[str], str]) -> Answer:
    start = time.monotonic()
    try:
        status = ping(address)
    except Unknown as error:
        return absent(f"{show(address)} does not answer: {error.what}")
    return Answer(value=f"{show(address)} answers {status} in {_milliseconds(start)}")


def _milliseconds(start: float) -> str:
    return f"{(time.monotonic() - start) * 1000:.0f} ms"
