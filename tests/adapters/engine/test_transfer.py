"""Pushes and pulls between a real engine and real registries, and the errors of failed ones."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.engines import TestEngine, engine, tiny_image  # noqa: F401 - fixtures
from tests.support.faulty_server import Exchange, run_server
from tests.support.real_registries import NO_LOGIN, RealRegistry, run_registry

from unmoor.adapters.engine import DockerEngine
from unmoor.adapters.engine.transfer import credentials, transfer_error
from unmoor.adapters.process.shell import LocalShell
from unmoor.errors import (
    Cause,
    Denied,
    Incomplete,
    Interrupted,
    Rejected,
    TimedOut,
    ToolMissing,
    TryLater,
    Unknown,
    UnmoorError,
)
from unmoor.ports.failure import require_not_put_off
from unmoor.ports.world import Login
from unmoor.util.secret import Secret
from unmoor.util.values import replace

WRONG = Login(username="pusher", secret=Secret("wrong"), origin="a test")


@pytest.fixture
def docker(engine: TestEngine, shell: LocalShell) -> DockerEngine:  # noqa: F811 - the fixture
    """Return the adapter for the engine."""
    return DockerEngine(shell=shell, processes=shell.processes, environ={**os.environ, **engine.environ})


@pytest.fixture(params=["", "basic", "token"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealRegistry]:
    """A registry of each kind of login."""
    with run_registry(tmp_path / "registry", auth=request.param) as running:
        yield running


def full_name(place: RealRegistry, tag: str = "sha-1") -> str:
    """Return a full name on a registry."""
    return f"{place.url.removeprefix('http://')}/acme/demo:{tag}"


@pytest.mark.journey
def test_push_then_pull(docker: DockerEngine, place: RealRegistry, tiny_image: str, engine: TestEngine) -> None:  # noqa: F811
    """A push returns the digest in the registry. A pull by that digest returns the same image."""
    image = docker.inspect(tiny_image).id
    lines: list[str] = []
    digest = docker.push(image, full_name(place), login=place.login, hear=lines.append)
    assert lines
    inspected = json.loads(place.skopeo("inspect", f"docker://{full_name(place)}"))
    assert inspected["Digest"] == digest
    assert full_name(place) not in engine.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
    by_digest = f"{full_name(place).rpartition(':')[0]}@{digest}"
    assert docker.pull(by_digest, login=place.login) == image
    docker.remove([by_digest])


@pytest.mark.journey
def test_an_image_without_another_name_is_kept(docker: DockerEngine, tmp_path: Path, engine: TestEngine) -> None:  # noqa: F811
    """A push of an image without a name does not remove the image."""
    name = f"unmoor-test/once:{uuid.uuid4().hex[:8]}"
    empty = bytes(1024)
    image = engine.docker("import", "-", name, stdin=empty)
    engine.docker("tag", image, f"{name}-2")
    with run_registry(tmp_path / "registry") as place:
        docker.push(image, full_name(place), login=NO_LOGIN)
        docker.remove([name, f"{name}-2"])
        if docker.look(image) is not None:
            docker.remove([image])
        image = engine.docker("import", "-", stdin=empty)
        docker.push(image, full_name(place, "again"), login=NO_LOGIN)
        assert docker.look(image) is not None
    docker.remove([image])


@pytest.mark.journey
def test_refusals(docker: DockerEngine, tmp_path: Path, tiny_image: str) -> None:  # noqa: F811
    """A wrong or missing password and a missing permission are `Denied`. A missing image is `Incomplete`."""
    image = docker.inspect(tiny_image).id
    with run_registry(tmp_path / "basic", auth="basic") as place:
        for login in (NO_LOGIN, WRONG):
            with pytest.raises(Denied):
                docker.push(image, full_name(place), login=login)
        digest = docker.push(image, full_name(place), login=place.login)
        repository = full_name(place).rpartition(":")[0]
        with pytest.raises(Denied):
            docker.pull(f"{repository}@{digest}", login=None)
        with pytest.raises(Incomplete):
            docker.pull(f"{repository}@sha256:{'0' * 64}", login=place.login)
        with pytest.raises(Incomplete, match="has no image"):
            docker.push("sha256:" + "0" * 64, full_name(place), login=place.login)
    with run_registry(tmp_path / "token", auth="token") as place:
        place.denied.add("push")
        with pytest.raises(Denied):
            docker.push(image, full_name(place), login=place.login)
    with pytest.raises(Unknown):
        docker.push(image, "127.0.0.1:1/acme/demo:1", login=NO_LOGIN)


@pytest.mark.journey
def test_a_push_has_a_deadline(docker: DockerEngine, tiny_image: str) -> None:  # noqa: F811
    """A push ends at its time-out, although the engine retries a failing server for a minute."""

    def script(it: Exchange) -> None:
        it.answer(500 if "/blobs/" in it.path else 200, "{}")

    image = docker.inspect(tiny_image).id
    with run_server(script) as server:
        name = f"{server.url.removeprefix('http://')}/acme/demo:1"
        with pytest.raises((TimedOut, Unknown)):
            replace(docker, transfer_timeout=2.0).push(image, name, login=NO_LOGIN)
        docker.processes.stop()
        with pytest.raises(Interrupted):
            docker.push(image, name, login=NO_LOGIN)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("denied: requested access to the resource is denied", Denied),
        ("unauthorized: authentication required", Denied),
        ("no basic auth credentials", Denied),
        ("denied: permission_denied: write_package", Denied),
        ("unexpected status from HEAD request: 403 Forbidden", Denied),
        ("toomanyrequests: You have reached your pull rate limit", Unknown),
        ("received unexpected HTTP status: 500 Internal Server Error", Unknown),
        ("net/http: TLS handshake timeout", Unknown),
        ("write tcp: connection reset by peer", Unknown),
        ("unexpected EOF", Unknown),
        ("manifest unknown: manifest unknown", Incomplete),
        ("manifest invalid: manifest invalid", Rejected),
        ("tag is immutable", Rejected),
        ("something new", Unknown),
        ("", Unknown),
    ],
)
def test_the_error_for_a_reason(reason: str, kind: type[UnmoorError]) -> None:
    """Anything but a clear refusal is unknown."""
    assert type(transfer_error(reason, "host/name:1")) is kind


@pytest.mark.parametrize(
    "reason", ["toomanyrequests: You have reached your limit", "429 Too Many Requests", "status: 429"]
)
def test_a_busy_registry(reason: str) -> None:
    """Whoever pushes tries again, and then raises the error for a write that is put off."""
    error = transfer_error(reason, "host/name:1")
    assert (type(error), error.cause) == (Unknown, Cause.LATER)
    with pytest.raises(TryLater):
        require_not_put_off(error)


@pytest.mark.parametrize(
    "reason", ["write /x: no space left on device", "failed to register layer: disk quota exceeded"]
)
def test_a_full_disk(reason: str) -> None:
    """A transfer that met a full disk can be retried once there is space."""
    error = transfer_error(reason, "host/name:1")
    assert isinstance(error, ToolMissing)
    assert error.retryable


def test_credentials_are_always_sent() -> None:
    """Without a login they are empty. If they were absent, the engine would use the user's own login."""
    assert credentials(NO_LOGIN, "host:5000/a/b:1") == {}
    assert credentials(WRONG, "host:5000/a/b:1") == {
        "username": "pusher",
        "password": "wrong",
        "serveraddress": "host:5000",
    }
