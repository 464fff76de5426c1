"""A job can do what its permissions say, on the forge, on the registry and with the issuer of ID tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jwt
import pytest
import requests
from tests.rehearsal.conftest import LocalRegistries
from tests.rehearsal.github.contract import ForgeClient

from unmoor.rehearsal.local import LocalWorld
from unmoor.util.values import replace

TOKEN = "ghs_ofonejob"
REFUSAL = "Resource not accessible by integration"


@contextmanager
def job_of(world: LocalWorld, permissions: Mapping[str, str], **more: object) -> Iterator[ForgeClient]:
    """Add a job to a running world for a while. Return a client of the forge with its token."""
    file = world.folder / "jobs.json"
    file.write_text(json.dumps([{"token": TOKEN, "permissions": permissions, **more}]))
    try:
        yield ForgeClient(world.addresses["forge"], TOKEN)
    finally:
        file.unlink()


READ_RELEASES, MAKE_RELEASE = ("GET", "/releases"), ("POST", "/releases")
ATTEST, ATTESTATIONS = ("POST", "/attestations"), ("GET", f"/attestations/sha256:{'0' * 64}")


@pytest.mark.parametrize(
    ("permissions", "request_line", "private", "status"),
    [
        ({}, READ_RELEASES, False, 200),
        ({}, READ_RELEASES, True, 403),
        ({}, ("GET", ""), True, 200),
        ({"contents": "read"}, READ_RELEASES, True, 200),
        ({}, MAKE_RELEASE, False, 403),
        ({"contents": "read"}, MAKE_RELEASE, False, 403),
        ({"packages": "write", "attestations": "write"}, MAKE_RELEASE, False, 403),
        ({"contents": "write"}, MAKE_RELEASE, False, 422),
        ({"contents": "write"}, ATTEST, False, 403),
        ({"attestations": "read"}, ATTEST, False, 403),
        ({"attestations": "write"}, ATTEST, False, 422),
        ({}, ATTESTATIONS, False, 200),
        ({"contents": "write"}, ATTESTATIONS, True, 403),
        ({"attestations": "read"}, ATTESTATIONS, True, 200),
    ],
)
def test_the_forge_asks_for_a_permission(
    world: LocalWorld, permissions: Mapping[str, str], request_line: tuple[str, str], *, private: bool, status: int
) -> None:
    """Each request needs its own permission; what is public, any token reads. A 422 is past all permissions."""
    control = world.folder / "forge" / "private"
    how: dict[str, Any] = {"json": {"bundle": {}}} if request_line[0] == "POST" else {}
    with job_of(world, permissions) as client:
        if private:
            control.parent.mkdir(exist_ok=True)
            control.touch()
        try:
            answer = client.call(*request_line, **how)
        finally:
            control.unlink(missing_ok=True)
    assert answer.status_code == status, answer.text
    assert status != 403 or answer.json()["message"] == REFUSAL


def test_a_token_ends_with_its_job(world: LocalWorld) -> None:
    """A token of no job is refused, even if it was one of a job before."""
    with job_of(world, {"contents": "write"}) as client:
        assert client.call(*READ_RELEASES).status_code == 200
    assert client.call(*READ_RELEASES).status_code == 401


@pytest.mark.parametrize(
    ("permissions", "allowed"),
    [
        ({}, set()),
        ({"contents": "write"}, set()),
        ({"packages": "read"}, {"pull"}),
        ({"packages": "write"}, {"pull", "push"}),
    ],
)
def test_the_registry_asks_for_packages(
    registries: LocalRegistries, permissions: Mapping[str, str], allowed: set[str]
) -> None:
    """Writing a package needs `packages: write`, pulling a private one `packages: read`."""
    package = "acme/of-jobs"
    registries.oci().push(package, b"layer", "1.0")
    folder = registries.world.folder
    (folder / "registry" / "ghcr.io" / "private").write_text("*\n")
    with job_of(registries.world, permissions) as client:
        oci = replace(registries.oci(), password=TOKEN)
        assert (oci.pull(package, "1.0").status_code == 200) == ("pull" in allowed)
        begun = oci.begin(package)
        assert begun.status_code == (202 if "push" in allowed else 403), begun.text
        versions = client.call("GET", f"{client.base}/api/v3/users/acme/packages/container/of-jobs/versions")
        assert versions.status_code == (200 if allowed else 403)


def ask_for_identity(world: LocalWorld, runner: str) -> requests.Response:
    """Request an ID token."""
    headers = {"Authorization": f"Bearer {runner}"}
    return requests.get(f"{world.addresses['issuer']}/token", params={"audience": "a"}, headers=headers, timeout=20)


@pytest.mark.parametrize(
    ("permissions", "runner", "status"),
    [({"id-token": "write"}, "of-it", 200), ({"id-token": "write"}, "another", 401), ({}, "of-it", 401)],
)
def test_an_identity_needs_id_token(
    world: LocalWorld, permissions: Mapping[str, str], runner: str, status: int
) -> None:
    """Only a job with `id-token: write` gets ID tokens, with its own token for them, and they name its environment."""
    with job_of(world, permissions, runner="of-it", claims={"environment": "pypi", "ref_type": None}):
        answer = ask_for_identity(world, runner)
    assert answer.status_code == status
    if status == 200:
        claims = jwt.decode(answer.json()["value"], options={"verify_signature": False})
        assert (claims["environment"], "ref_type" in claims) == ("pypi", False)
        assert claims["sub"].endswith(":environment:pypi")
