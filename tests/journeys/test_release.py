"""Releases through the command line to a local world."""

from __future__ import annotations

import gzip
import json
import os
import re
import tomllib
from pathlib import Path

import pytest
import requests
from tests.support.git_repos import Repo
from tests.support.local_release import LocalRelease, small_repo, start_release, vouching
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.index import PackageIndex
from unmoor.artifacts.files import describe_file
from unmoor.config.worlds import read_world
from unmoor.errors import Refused
from unmoor.ports.index import Sent
from unmoor.util.values import replace

pytestmark = pytest.mark.journey

FILES = ["small_one-1.0-py3-none-any.whl", "small_one-1.0.tar.gz"]


def test_a_release_is_whole_and_a_second_run_does_nothing(tmp_path: Path) -> None:
    """The first run puts each file on each index once; the second finds everything and sends nothing."""
    with start_release(tmp_path) as place:
        first = place.release()
        assert first.returncode == 0, first.stderr
        assert sorted(place.stored()) == sorted([(i, f) for i in ("pypi", "testpypi") for f in FILES])
        assert place.status().returncode == 0
        writes = [r for r in place.requests() if r["method"] not in {"GET", "HEAD"}]
        second = place.release("--json")
        assert second.returncode == 0, second.stderr
        assert [r for r in place.requests() if r["method"] not in {"GET", "HEAD"}] == writes
        stages = {stage["name"]: stage["state"] for stage in json.loads(second.stdout)["stages"]}
        assert {name for name, state in stages.items() if state == "found"} == {
            *(
                "dists",
                "prove-dists",
                "rebuild",
                "sbom",
                "provenance",
                "sign",
                "draft",
                "testpypi",
                "prove-testpypi",
                "pypi",
                "undraft",
            )
        }


def test_the_ceilings_stop_where_they_say(tmp_path: Path) -> None:
    """A dry run sends nothing, a hold nothing final, the release does the rest, and another machine can finish."""
    with start_release(tmp_path) as place:
        dry = place.release("--dry-run")
        assert dry.returncode == 0, dry.stderr
        assert not [r for r in place.requests() if r["method"] not in {"GET", "HEAD"}]
        hold = place.release("--hold")
        assert hold.returncode == 0, hold.stderr
        assert {index for index, _ in place.stored()} == {"testpypi"}
        assert place.status().returncode == 12
        elsewhere = LocalRelease(repo=small_repo(tmp_path / "elsewhere" / "small"), world=place.world)
        rest = elsewhere.release()
        assert rest.returncode == 0, rest.stderr
        assert "building" not in rest.stderr
        assert elsewhere.status().returncode == 0
        assert len(place.stored()) == 4


def test_another_file_on_an_index_stops_before_anything_is_sent(tmp_path: Path) -> None:
    """Whether the files come from the run folder or from another job: nothing is sent, and the plan says so too."""
    with start_release(tmp_path) as place:
        built = place.release("--dry-run", "--until", "check-dists")
        assert built.returncode == 0, built.stderr
        run_folder = place.repo.path / ".unmoor" / "v1.0"
        put_other(place, run_folder / "dists" / FILES[1], tmp_path / "other")
        clone = tmp_path / "clone"
        place.repo.git("clone", "--quiet", str(place.repo.path), str(clone))
        other_job = replace(place, repo=Repo(clone), state=tmp_path / "state")
        handed = ["--dists", str(run_folder), *vouching(built.stderr)]
        for ran in (
            other_job.release(*handed),
            place.unmoor("plan", "--world", str(place.world_file), "v1.0"),
            place.release(),
        ):
            assert ran.returncode == 9, ran.stderr
            assert f"pypi holds other bytes as {FILES[1]}" in ran.stderr
            assert re.search(r"^check-dists(, [\w-]+)* failed$", ran.stderr, re.MULTILINE)
        assert place.stored() == [("pypi", FILES[1])]
        assert not [r for r in place.requests() if r["method"] not in {"GET", "HEAD"} and r["server"] == "forge"]
        unbuilt = replace(place, repo=Repo(clone)).unmoor("plan", "--world", str(place.world_file), "v1.0")
        assert f"pypi holds {FILES[1]} already" in unbuilt.stdout


def put_other(place: LocalRelease, sdist: Path, folder: Path) -> None:
    """Upload an sdist with the same content and name, but other bytes, to the index."""
    folder.mkdir()
    other = folder / sdist.name
    with gzip.open(sdist) as data, gzip.open(other, "wb", compresslevel=1) as copy:
        copy.write(data.read())
    with BoundedSession() as http:
        index = PackageIndex(read_world(place.world_file, os.environ).index, http, FakeClock())
        assert isinstance(index.send(describe_file(other)), Sent)


def test_plan_and_its_schema(tmp_path: Path) -> None:
    """The plan's JSON is valid, says rehearsal, changes nothing, and matches the release."""
    import jsonschema  # takes 2 s, so not while tests are collected

    with start_release(tmp_path) as place:
        schema = json.loads(place.unmoor("schema", "plan").stdout)
        before = place.repo.state()
        planned = place.unmoor("plan", "--json", "--world", str(place.world_file), "v1.0")
        assert planned.returncode == 0, planned.stderr
        assert place.repo.state() == before
        document = json.loads(planned.stdout)
        jsonschema.validate(document, schema)
        assert document["rehearsal"] is True
        assert {s["name"]: s["state"] for s in document["stages"]}["pypi"] == "planned"
        assert place.release().returncode == 0
        again = json.loads(place.unmoor("plan", "--json", "--world", str(place.world_file), "v1.0").stdout)
        assert {s["name"]: s["state"] for s in again["stages"]}["pypi"] == "found"


def test_other_bytes_on_the_index_stop_the_release_before_anything_is_sent(tmp_path: Path) -> None:
    """Other bytes under a file's name are refused, and nothing is uploaded."""
    with start_release(tmp_path) as place:
        assert place.release("--until", "pypi").returncode == 0
        other = small_repo(tmp_path / "other" / "small", **{"src/small_one/more.py": "x = 1\n"})
        stranger = LocalRelease(repo=other, world=place.world)
        before = len(place.stored())
        stopped = stranger.release()
        assert stopped.returncode in {4, 9}, stopped.stderr
        assert len(place.stored()) == before


def test_until_one_stage_needs_nothing_else(tmp_path: Path) -> None:
    """Proving the staged files needs no token, since the draft is not read."""
    with start_release(tmp_path) as place:
        assert place.release("--hold").returncode == 0
        proof = place.repo.path / ".unmoor" / "v1.0" / "proofs" / "prove-testpypi.json"
        proof.unlink()
        bare = place.world / "bare.toml"
        lines = place.world_file.read_text().splitlines()
        bare.write_text("\n".join(line for line in lines if not line.startswith(("token", "password"))))
        bare.chmod(0o600)
        ran = place.unmoor("release", "--world", str(bare), "--until", "prove-testpypi", "v1.0")
        assert ran.returncode == 0, ran.stderr
        assert proof.exists()


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["release", "v1.0$(id)"], 4, "cannot be released"),
        (["release", "v9.9"], 4, "v9.9"),
        (["release", "--world", "nowhere.toml", "v1.0"], 3, "nowhere.toml"),
        (["release", "--until", "nothing", "v1.0"], 2, "no stage 'nothing'"),
        (["release", "--dry-run", "--hold", "v1.0"], 2, "cannot be used together"),
        (["relase"], 2, "Did you mean 'release'?"),
        (["rehearse", "v2.0.dev1"], 4, "development version"),
    ],
)
def test_a_mistake_of_the_user_is_one_clear_message(tmp_path: Path, args: list[str], code: int, words: str) -> None:
    """Each mistake gives a message and its exit code, without a traceback, and nothing is written."""
    place = LocalRelease(repo=small_repo(tmp_path / "small"), world=tmp_path)
    before = place.repo.state()
    ran = place.unmoor(*args)
    assert (ran.returncode, ran.stdout) == (code, ""), ran.stderr
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr
    kept = {path.name for path in (place.repo.path / ".unmoor").rglob("*") if path.is_file()}
    assert kept <= ({".gitignore", "run.lock"} if args[0] == "rehearse" else set())
    assert place.repo.state() == before or args[0] == "rehearse"


def test_a_tag_that_a_deleted_immutable_release_had(tmp_path: Path) -> None:
    """Such a tag is refused before anything is built or sent, since its draft could never be published."""
    with start_release(tmp_path) as place:
        table = tomllib.loads(place.world_file.read_text())["forge"]
        (place.world / "forge").mkdir(exist_ok=True)
        (place.world / "forge" / "immutable").touch()
        headers = {"Authorization": f"Bearer {table['token']}"}
        releases = f"{table['api']}/repos/acme/small/releases"
        made = requests.post(releases, json={"tag_name": "v1.0", "draft": True}, headers=headers, timeout=20).json()
        one = f"{releases}/{made['id']}"
        assert requests.patch(one, json={"draft": False}, headers=headers, timeout=20).json()["immutable"]
        assert requests.delete(one, headers=headers, timeout=20).status_code == 204
        stopped = place.release()
        assert stopped.returncode == Refused.exit_code, stopped.stderr
        assert "an immutable release used the tag v1.0 and was deleted" in stopped.stderr
        assert "release a new version" in stopped.stderr
        assert place.stored() == []
        assert not (place.repo.path / ".unmoor" / "v1.0" / "dists").exists()
