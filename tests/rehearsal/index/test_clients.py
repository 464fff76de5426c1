"""Real clients against the local world: twine, uv, pip, PyGithub."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.rehearsal.conftest import IndexClient, world_table
from tests.rehearsal.index.made_dists import sdist, wheel, write
from tests.support.sigstore_client import SigstoreClient

from unmoor.filesystem.files import sha256_of
from unmoor.rehearsal.local import LocalWorld

BIN = Path(sys.executable).parent


def run(program: str | Path, *args: str, **env: str) -> tuple[int, str]:
    """Run a tool of this environment by name. Return its exit code and its output."""
    ran = subprocess.run(
        [str(BIN / program), *args],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env={**os.environ, "COLUMNS": "500", "NO_COLOR": "1", **env},
    )
    return ran.returncode, ran.stdout + ran.stderr


def twine(index: IndexClient, *files: str, token: str = "") -> tuple[int, str]:
    """Upload with twine."""
    secret = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": token or index.token}
    where = ("--repository-url", f"{index.base}/legacy/")
    return run("twine", "upload", "--disable-progress-bar", "--non-interactive", *where, *files, **secret)


def uv_publish(index: IndexClient, *files: str, token: str = "") -> tuple[int, str]:
    """Upload with uv."""
    where = ("--no-cache", "--publish-url", f"{index.base}/legacy/")
    return run("uv", "publish", *where, *files, UV_PUBLISH_TOKEN=token or index.token)


@pytest.mark.journey
@pytest.mark.parametrize("send", [twine, uv_publish])
def test_publishers(index: IndexClient, name: str, tmp_path: Path, send: Callable[..., tuple[int, str]]) -> None:
    """A client uploads, uploads again, and prints the index's reasons for other bytes and for a wrong token."""
    files = write(tmp_path, wheel(name, "1.0"), sdist(name, "1.0"))
    for _ in range(2):
        code, output = send(index, *files)
        assert code == 0, output
    assert len(index.simple(name)["files"]) == 2
    others = write(tmp_path, wheel(name, "1.0", source="other = 1\n"))
    code, output = send(index, *others)
    assert code != 0
    assert f"File already exists ('{Path(others[0]).name}', with blake2_256 hash" in output
    code, output = send(index, *others, token="pypi-wrong")
    assert code != 0
    assert "Invalid or non-existent authentication information" in output
    assert len(index.simple(name)["files"]) == 2


@pytest.mark.journey
@pytest.mark.parametrize(("send", "options"), [(twine, ["--attestations"]), (uv_publish, [])], ids=["twine", "uv"])
def test_publishers_of_attestations(
    world: LocalWorld,
    index: IndexClient,
    name: str,
    tmp_path: Path,
    *,
    send: Callable[..., tuple[int, str]],
    options: list[str],
) -> None:
    """A client sends the attestation beside a file, and prints why the index refuses that of another file."""
    good, bad = write(tmp_path, wheel(name, "1.0"), wheel(name, "2.0"))
    digest = sha256_of(Path(good))
    attestation = SigstoreClient(world).attest(Path(good).name, digest).model_dump_json()
    for path in (good, bad):
        Path(f"{path}.publish.attestation").write_text(attestation)
    code, output = send(index, *options, good, f"{good}.publish.attestation")
    assert code == 0, output
    code, output = send(index, *options, bad, f"{bad}.publish.attestation")
    assert code != 0
    assert "Invalid attestations supplied during upload: Could not verify the uploaded artifact" in output
    (file,) = index.simple(name)["files"]
    assert file["provenance"] == f"{index.base}/integrity/{name}/1.0/{Path(good).name}/provenance"


@pytest.mark.journey
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_installers(index: IndexClient, name: str, tmp_path: Path, installer: str) -> None:
    """An installer finds and installs the highest final version."""
    for each in ("1.0", "1.1", "2.0rc1"):
        code, output = twine(index, *write(tmp_path / "dist", wheel(name, each, source=f"version = '{each}'\n")))
        assert code == 0, output
    target = tmp_path / "target"
    options = ("install", "--no-deps", "--target", str(target), "--index-url", f"{index.base}/simple/")
    if installer == "uv":
        code, output = run("uv", "pip", *options, name, UV_CACHE_DIR=str(tmp_path / "uv"))
    else:
        venv.create(tmp_path / "env", with_pip=True)
        code, output = run(tmp_path / "env" / "bin" / "pip", *options, "--no-cache-dir", name)
    assert code == 0, output
    assert (target / f"{name.replace('-', '_')}.py").read_text() == "version = '1.1'\n"


@pytest.mark.journey
def test_check_url(index: IndexClient, name: str, tmp_path: Path) -> None:
    """A client, uv, skips a file if the simple index has it already with the same hash."""
    files = write(tmp_path, wheel(name, "1.0"))
    check = ("--check-url", f"{index.base}/simple/")
    assert uv_publish(index, *files, *check)[0] == 0
    code, output = uv_publish(index, *files, *check)
    assert (code, "already exists, skipping" in output) == (0, True), output


def test_pygithub(world: LocalWorld, tmp_path: Path) -> None:
    """PyGithub makes a draft, attaches a file, publishes, and reads it back."""
    import github

    table = world_table(world)["forge"]
    hub = github.Github(
        base_url=table["api"],
        auth=github.Auth.Token(table["token"]),
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )
    repo = hub.get_repo("acme/demo")
    assert repo.permissions.push
    draft = repo.create_git_release("v0.2.0", "v0.2.0", "notes", draft=True)
    try:
        path = write(tmp_path, ("a.txt", b"text"))[0]
        assert str(draft.upload_asset(path).digest).startswith("sha256:")
        with pytest.raises(github.GithubException, match="already_exists"):
            draft.upload_asset(path)
        # Other tests leave drafts of another tag in this world.
        assert [each.draft for each in repo.get_releases() if each.tag_name == draft.tag_name] == [True]
        draft.update_release("v0.2.0", "notes", draft=False, make_latest="true")
        assert repo.get_latest_release().tag_name == "v0.2.0"
    finally:
        draft.delete_release()
        hub.close()
