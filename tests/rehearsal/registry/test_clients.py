"""Third-party clients use the local registry as they use GHCR."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.rehearsal.conftest import LocalRegistries, requests_of
from tests.rehearsal.registry.oci_client import RegistryClient, digest_of
from tests.support.engines import TestEngine, engine, require_programs, tiny_image  # noqa: F401 - fixtures

from unmoor.rehearsal.faults import control
from unmoor.util.values import replace

TIMEOUT = 60


def skopeo(*arguments: str) -> tuple[int, str, str]:
    """Run skopeo, and return its exit code and its output."""
    require_programs("skopeo")
    ran = subprocess.run(["skopeo", *arguments], capture_output=True, check=False, timeout=TIMEOUT)  # noqa: S607
    return ran.returncode, ran.stdout.decode(), ran.stderr.decode()


def at(oci: RegistryClient, name: str) -> str:
    """Return an image's name for skopeo."""
    return f"docker://{oci.base.removeprefix('http://')}/acme/{name}"


def as_user(oci: RegistryClient, side: str = "") -> list[str]:
    """Return the options for a loopback registry and its login; ``side`` is ``src-`` or ``dest-``."""
    login = [f"--{side}creds", f"x:{oci.password}"] if oci.password else []
    return [f"--{side}tls-verify=false", *login]


def test_skopeo_copies(registries: LocalRegistries, name: str, tmp_path: Path) -> None:
    """An image keeps its digest when pushed and pulled; a second copy sends no blob."""
    oci = registries.oci()
    digest = oci.push(f"acme/{name}", b"layer", "1.0")
    kept = f"oci:{tmp_path / 'kept'}:1.0"
    assert (
        skopeo("copy", "--preserve-digests", *as_user(registries.oci(""), "src-"), at(oci, f"{name}:1.0"), kept)[0] == 0
    )
    assert skopeo("copy", "--preserve-digests", *as_user(oci, "dest-"), kept, at(oci, f"{name}-b:1.0"))[0] == 0
    code, output, _ = skopeo("inspect", *as_user(registries.oci("")), at(oci, f"{name}-b:1.0"))
    assert (code, json.loads(output)["Digest"]) == (0, digest)
    before = len(requests_of(registries.world, method="PATCH"))
    assert skopeo("copy", "--preserve-digests", *as_user(oci, "dest-"), kept, at(oci, f"{name}-b:1.1"))[0] == 0
    assert len(requests_of(registries.world, method="PATCH")) == before
    assert oci.pull(f"acme/{name}-b", "1.1").headers["docker-content-digest"] == digest


def test_skopeo_is_refused(registries: LocalRegistries, name: str, tmp_path: Path) -> None:
    """GHCR's refusals of a push, a private package and a deletion reach the user."""
    oci, reader, stranger = registries.oci(), registries.oci("registry_read"), registries.oci("")
    oci.push(f"acme/{name}", b"layer", "1.0")
    here = at(oci, f"{name}:1.0")
    kept = f"oci:{tmp_path / 'kept'}:1.0"
    skopeo("copy", *as_user(oci, "src-"), here, kept)
    code, _, output = skopeo("copy", *as_user(reader, "dest-"), kept, at(oci, f"{name}-b:1.0"))
    assert (code, "permission_denied: write_package" in output) == (1, True)
    code, _, output = skopeo("delete", *as_user(oci), here)
    assert (code, "The operation is unsupported" in output) == (1, True)
    oci.control("private", "*")
    assert skopeo("inspect", *as_user(stranger), here)[0] == 1
    assert skopeo("inspect", *as_user(reader), here)[0] == 0


@contextmanager
def logged_in(engine: TestEngine, oci: RegistryClient, tmp_path: Path) -> Iterator[TestEngine]:  # noqa: F811
    """Return a logged-in docker client with its own configuration folder and the usual plugins."""
    config = tmp_path / "docker"
    config.mkdir(exist_ok=True)
    plugins = engine.config / "cli-plugins"
    if plugins.is_dir() and not (config / "cli-plugins").exists():
        shutil.copytree(plugins, config / "cli-plugins")
    own = replace(engine, config=config)
    registry = oci.base.removeprefix("http://")
    if oci.password:
        own.docker("login", registry, "--username", "x", "--password-stdin", stdin=oci.password.encode())
    yield own
    if oci.password:
        own.docker("logout", registry)


@pytest.fixture
def image(engine: TestEngine, registries: LocalRegistries, name: str, tiny_image: str) -> Iterator[str]:  # noqa: F811
    """Return a tiny image, tagged for the registry."""
    made = f"{registries.oci().base.removeprefix('http://')}/acme/{name}:1.0"
    engine.docker("tag", tiny_image, made)
    yield made
    engine.docker("rmi", "--force", made)


@pytest.mark.journey
def test_docker_pushes_and_pulls(
    engine: TestEngine,  # noqa: F811
    registries: LocalRegistries,
    image: str,
    name: str,
    tmp_path: Path,
) -> None:
    """The engine pushes with a login, anyone pulls the same digest, and a second push sends no blob."""
    oci = registries.oci()
    with logged_in(engine, oci, tmp_path) as docker:
        output = docker.docker("push", image)
        digest = oci.pull(f"acme/{name}", "1.0").headers["docker-content-digest"]
        assert digest in output
        before = len(requests_of(registries.world, method="PATCH"))
        docker.docker("tag", image, f"{image}.1")
        assert digest in docker.docker("push", f"{image}.1")
        assert len(requests_of(registries.world, method="PATCH")) == before
    engine.docker("rmi", "--force", image, f"{image}.1")
    assert digest in engine.docker("pull", image)


@pytest.mark.journey
def test_docker_is_refused(
    engine: TestEngine,  # noqa: F811
    registries: LocalRegistries,
    image: str,
    tmp_path: Path,
) -> None:
    """GHCR's refusals reach the user of the docker client, without minutes of retries."""
    with (
        logged_in(engine, registries.oci("registry_read"), tmp_path) as docker,
        pytest.raises(AssertionError, match="denied: permission_denied: write_package"),
    ):
        docker.docker("push", image)
    with pytest.raises(AssertionError, match="unauthorized"):
        engine.docker("push", image)
    wrong = replace(registries.oci(), password="wrong")
    with pytest.raises(AssertionError, match="denied: denied"), logged_in(engine, wrong, tmp_path):
        pytest.fail("logged in")
    with logged_in(engine, registries.oci(), tmp_path) as docker:
        docker.docker("push", image)
    registries.oci().control("private", "*")
    with pytest.raises(AssertionError, match=r"unauthorized|denied"):
        engine.docker("pull", image)


@pytest.mark.journey
def test_docker_after_a_reset(
    engine: TestEngine,  # noqa: F811
    registries: LocalRegistries,
    image: str,
    name: str,
    tmp_path: Path,
) -> None:
    """After a reset the engine gives up, and nothing is stored; the same push then succeeds completely."""
    control.inject(registries.world.folder, "reset-during@registry:PATCH /v2/{name}/blobs/uploads/{upload}#1")
    with logged_in(engine, registries.oci(), tmp_path) as docker:
        with pytest.raises(AssertionError, match="connection reset by peer"):
            docker.docker("push", image)
        assert registries.oci().pull(f"acme/{name}", "1.0").status_code == 404
        docker.docker("push", image)
    answer = registries.oci().pull(f"acme/{name}", "1.0")
    assert digest_of(answer.content) == answer.headers["docker-content-digest"]


@pytest.mark.journey
def test_buildx_builds_and_pushes(
    engine: TestEngine,  # noqa: F811
    registries: LocalRegistries,
    name: str,
    tmp_path: Path,
) -> None:
    """A build is pushed by buildx, which requests tokens in its own way."""
    if not engine.has_buildx:
        pytest.skip("buildx is not installed")
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    image = f"{registries.oci().base.removeprefix('http://')}/acme/{name}:1.0"
    flags = ("--provenance=false", "--sbom=false", "--push", "--tag", image)
    with logged_in(engine, registries.oci(), tmp_path) as docker:
        docker.docker("buildx", "build", *flags, str(tmp_path / "context"))
    assert registries.oci("").pull(f"acme/{name}", "1.0").status_code == 200
    engine.docker("rmi", "--force", image)
