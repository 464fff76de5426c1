"""A real registry that answers badly once: every operation has the result that it has without the fault."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from tests.support import one_fault
from tests.support.one_fault import FAULTS, OneFault
from tests.support.real_registries import RealRegistry, make_image, put_image, run_registry
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.registry import OciRegistry
from unmoor.images.attestations import put_bundle
from unmoor.ports.world import RegistryPlace

IMAGE = make_image("one")
NUMBERS = itertools.count(1000)


def put_new(registry: OciRegistry) -> bool:
    """Put another bundle beside the image. Return whether it is listed."""
    put = put_bundle(registry, IMAGE.manifest.digest, f"{next(NUMBERS)}".encode(), "a/b", created=1)
    return put in registry.referrers(IMAGE.manifest.digest)


OPERATIONS: dict[str, Callable[[OciRegistry], object]] = {
    "put": lambda it: it.put("two", IMAGE.manifest),
    "head": lambda it: it.head("one"),
    "manifest": lambda it: it.manifest("one"),
    "by digest": lambda it: it.manifest(IMAGE.manifest.digest),
    "blob": lambda it: it.blob(IMAGE.id),
    "tags": lambda it: it.tags(),
    "probe": lambda it: it.may_push(),
    "referrers": lambda it: it.referrers(IMAGE.manifest.digest),
    "put_referrer": lambda it: put_bundle(it, IMAGE.manifest.digest, b"{}", "a/b", created=1),
    "put_referrer, a new one": put_new,
}


@pytest.fixture(scope="module", params=["", "basic"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A registry with an image, without and with a login."""
    with run_registry(tmp_path_factory.mktemp("registry"), auth=request.param) as running:
        put_image(running, "acme/demo", IMAGE, "one", "two")
        yield running


@pytest.mark.parametrize("name", FAULTS)
def test_one_fault_in_any_exchange_changes_nothing(
    place: RealRegistry, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Reads are repeated, and a write is looked for."""
    fault = OneFault()
    fault.install(monkeypatch)
    at = RegistryPlace(host="ghcr.io", address=place.url, login=place.login)
    with BoundedSession() as http:
        for operation, call in OPERATIONS.items():
            if (operation, name) == ("tags", "another byte"):
                continue  # a list of tags has no digest
            fault.again(one_fault.none, -1)
            expected = call(OciRegistry(at, "acme/demo", http, FakeClock()))
            for number in range(fault.count):
                fault.again(FAULTS[name], number)
                assert call(OciRegistry(at, "acme/demo", http, FakeClock())) == expected, (operation, number)
