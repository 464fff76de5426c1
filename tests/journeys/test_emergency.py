"""A release in an emergency: what stops it, what it waives, who can finish it, and what it says of itself."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from tests.support import sample_projects
from tests.support.local_release import SETTINGS, LocalRelease, small_repo, start_release

from unmoor.publish.emergencies import HEAD

pytestmark = pytest.mark.journey  # real builds, clones or servers, one after the other

REASON = "CVE-2026-1 <b>bold</b> @octocat\x1b[31m\n::error::no"
SHOWN = "CVE-2026-1 <b>bold</b> @octocat ::error::no"
EMERGENCY = ("--emergency", REASON, "--confirm", "1.0")
HANGING = {
    "tests/check.py": "import time\n\ntime.sleep(600)\n",
    "pyproject.toml": sample_projects.files("small-one", "1.0", more=f"{SETTINGS}test-timeout = 1\n")["pyproject.toml"],
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRelease]:
    """A project whose tests fail, with its world. The tests with it follow one another."""
    folder = tmp_path_factory.mktemp("broken")
    repo = small_repo(folder / "small", **{"tests/check.py": "raise SystemExit(3)\n"})
    with start_release(folder, repo) as place:
        yield place


def page_of(place: LocalRelease) -> dict[str, Any]:
    """The release on the forge, a draft or not."""
    forge = tomllib.loads(place.world_file.read_text())["forge"]
    headers = {"Authorization": f"Bearer {forge['token']}"}
    answer = requests.get(f"{forge['api']}/repos/acme/small/releases", headers=headers, timeout=20)
    (found,) = answer.json()
    return dict(found)


def write_runs(place: LocalRelease, text: str) -> None:
    """Let the forge list these runs."""
    file = place.world / "forge" / "runs.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize(
    ("args", "runs", "code", "advice"),
    [
        (("--emergency", REASON), "[]", 4, "--confirm 1.0"),
        (("--emergency", REASON, "--confirm", "1.1"), "[]", 2, "this is the release of 1.0"),
        ((*EMERGENCY, "--waive", "check-dists"), "[]", 2, "can never be waived"),
        (("--waive", "tests"), "[]", 2, "--waive needs --emergency"),
        (EMERGENCY, '[{"id": 7, "branch": "v1.0", "status": "waiting"}]', 4, "wait until these runs have ended"),
        (EMERGENCY, "what is this", 10, "--waive run-check"),
        (EMERGENCY, "[]", 8, "prove-dists failed"),
    ],
    ids=["not confirmed", "another version", "integrity", "no emergency", "active", "cannot tell", "not waived"],
)
def test_what_stops_it(broken: LocalRelease, args: tuple[str, ...], runs: str, code: int, advice: str) -> None:
    """Each has its exit code and says what to do next, and nothing is sent."""
    write_runs(broken, runs)
    ran = broken.release(*args)
    assert (ran.returncode, advice in ran.stderr) == (code, True), ran.stderr
    assert "\x1b" not in ran.stderr
    assert broken.stored() == []


def test_a_waived_failure_travels_and_any_run_finishes(broken: LocalRelease) -> None:
    """The proof says what failed. A later run without an emergency believes the manifest, and says so again."""
    write_runs(broken, '[{"id": 7, "branch": "v1.0"}]')
    ran = broken.release("--hold", "--json", *EMERGENCY, "--waive", "tests", "--waive", "run-check", "--waive", "smoke")
    assert ran.returncode == 0, ran.stderr
    assert "Missing for good" in ran.stderr
    told = json.loads(ran.stdout)["emergency"]
    assert (told["reason"], told["actor"], told["gates"]) == (SHOWN, "rehearsal", ["tests", "smoke", "run-check"])
    assert [each["verdict"] for each in told["results"]] == ["failed", "not run", "failed"]
    manifest = json.loads((broken.journal.parent / "manifest.json").read_text())
    assert manifest["emergency"] == told
    (proof,) = (each for each in manifest["proofs"] if each["name"] == "prove-dists")
    assert [each["name"] for each in proof["results"] if each["verdict"] == "waived"] == [
        "small_one-1.0-py3-none-any.whl"
    ]
    records = [json.loads(line) for line in broken.journal.read_text().splitlines()]
    events = [each["event"] for each in records if each["event"].startswith("emergency")]
    assert events[-2:] == ["emergency", "emergency ended"]
    body = page_of(broken)["body"]
    assert body.startswith(HEAD)
    write_runs(broken, "[]")
    finished = broken.release()
    assert finished.returncode == 0, finished.stderr
    assert f"this release began in an emergency: {SHOWN}" in finished.stderr
    assert "which an emergency waived: small_one-1.0-py3-none-any.whl" in finished.stderr
    page = page_of(broken)
    assert (page["draft"], page["body"]) == (False, body)
    assert json.loads(broken.status("--json").stdout)["emergencies"] == [told]
    assert f"emergency: {SHOWN}" in broken.status().stderr
    verified = broken.unmoor("verify", "--from-world", str(broken.world_file), "acme/small@v1.0")
    assert f"note:  emergency: {SHOWN}" in verified.stderr
    repeated = broken.release(*EMERGENCY, "--waive", "tests")
    assert repeated.returncode == 0, repeated.stderr
    assert page_of(broken)["body"] == body


def test_hanging_tests_and_a_folder_of_no_emergency(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests that hang are stopped and waived. What only a dry run waived counts for no run without an emergency."""
    folder = tmp_path_factory.mktemp("hanging")
    with start_release(folder, small_repo(folder / "small", **HANGING)) as place:
        dry = place.release("--dry-run", "--until", "prove-dists", *EMERGENCY, "--waive", "tests")
        assert dry.returncode == 0, dry.stderr
        (place.journal.parent / "manifest.json").unlink()
        plain = place.release("--dry-run")
        assert plain.returncode == 14, plain.stderr
        whole = place.release(*EMERGENCY, "--waive", "tests")
        assert whole.returncode == 0, whole.stderr
        assert "in an emergency without tests" in whole.stderr
        assert "ran for more than 1 s" in page_of(place)["body"]
