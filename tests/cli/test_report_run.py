"""``unmoor report`` on a release in a local world, and where its page can and cannot be written."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.local_release import LocalRelease, start_release

from unmoor.cli import report_run
from unmoor.errors import UnmoorError
from unmoor.rehearsal.github.runs import FILE as RUNS

pytestmark = pytest.mark.journey
RUN = {
    "id": 7,
    "branch": "v1.0",
    "status": "completed",
    "approvals": [["pypi", "approved", "grace", "go"], ["pypi", "rejected", "<b>eve</b>", ""]],
}


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRelease]:
    """Release into a world whose GitHub knows a run of the tag."""
    folder = tmp_path_factory.mktemp("report")
    with start_release(folder) as place:
        ran = place.release()
        assert ran.returncode == 0, ran.stderr
        (place.world / "forge" / RUNS).write_text(json.dumps([RUN]), "utf-8")
        yield place


def report(place: LocalRelease, *args: str, state: Path | None = None) -> tuple[int, str, str]:
    """Run the command, on another machine if ``state`` is given, and return exit code, output and messages."""
    env = {"XDG_STATE_HOME": str(state)} if state else {}
    ran = place.unmoor("report", "--world", str(place.world_file), *args, env=env)
    return ran.returncode, ran.stdout, ran.stderr


def test_a_release_is_shown_with_everything(released: LocalRelease) -> None:
    """Digests as on the surfaces, the timeline of the journal, proofs, signatures with the signer, approvals."""
    code, out, err = report(released, "--json", "v1.0")
    assert code == 0, err
    seen = json.loads(out)
    assert (seen["tag"], seen["state"], seen["rehearsal"]) == ("v1.0", "complete", True)
    assert {each["surface"] for each in seen["surfaces"]} >= {"tag", "pypi", "forge"}
    assert seen["timeline"]["source"] == "the journal of this machine"
    assert {each["name"] for each in seen["proofs"]} >= {"prove-dists", "rebuild", "prove-testpypi"}
    assert {each["judged"] for each in seen["attestations"]} == {"valid"}
    assert {each["identity"] for each in seen["attestations"]} == {"acme/small/.github/workflows/release.yml"}
    assert [(each["environment"], each["state"], each["who"]) for each in seen["approvals"]] == [
        ("pypi", "approved", "grace"),
        ("pypi", "rejected", "<b>eve</b>"),
    ]
    assert "It floats." in seen["notes"]
    assert seen["unknown"] == []


def test_the_run_left_its_own_page(released: LocalRelease) -> None:
    """It is one page without scripts, without a login of the world and without the place of the checkout."""
    page = (released.repo.path / ".unmoor" / "v1.0" / "report.html").read_text("utf-8")
    assert "default-src" in page
    assert "<script" not in page
    assert "prove-dists" in page
    secrets = re.findall(r'"([^"]{12,})"', (released.world / "credentials.json").read_text("utf-8"))
    logins = [each for each in secrets if not each.startswith("http")]
    assert not [each for each in (*logins, str(released.repo.path), str(Path.home()) + os.sep) if each in page]


def test_another_machine_lacks_the_timeline(released: LocalRelease, tmp_path: Path) -> None:
    """The signed manifest vouches for itself; only what the run noted is missing, and says where it is."""
    clone = tmp_path / "clone"
    released.repo.git("clone", "--quiet", str(released.repo.path), str(clone))
    other = LocalRelease(repo=Repo(clone), world=released.world)
    code, text, err = report(other, "--html", "-", "v1.0", state=tmp_path / "state")
    assert code == 0, err
    assert text.startswith("<!DOCTYPE html>")
    assert "on the machine that released it" in text
    assert "grace" in text
    assert "<b>eve</b>" not in text


def test_a_tag_without_a_release_says_so(released: LocalRelease) -> None:
    """As `status` does, and nothing is written."""
    released.repo.git("tag", "-f", "v9.9")
    page = released.world / "none.html"
    code, out, err = report(released, "--html", str(page), "v9.9")
    assert (code, out) == (12, "")
    assert "v9.9 is not released" in err
    assert not page.exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--html", "x.html", "--open"), "--html and --open cannot be used together"),
        (("--html", "x.html", "--json"), "it cannot be used together with --html or --open"),
        (("--html", "no/folder/x.html"), "there is no folder"),
        (("--html", "."), "is a directory"),
        (("--html", ""), "is not a regular file"),
        (("--html", os.devnull), "is not a regular file"),
        (("--html", "link.html"), "is not a regular file; name one, or - for stdout"),
    ],
    ids=["open", "json", "nowhere", "folder", "empty", "device", "link"],
)
def test_wrong_usage_reads_nothing(released: LocalRelease, args: tuple[str, ...], said: str) -> None:
    """It is said before any server is asked."""
    before = len(released.requests())
    link = released.repo.path / "link.html"
    if not link.is_symlink():
        link.symlink_to("page.html")
    code, out, err = report(released, *args, "v1.0")
    assert (code, out) == (2, "")
    assert said in " ".join(err.split())
    assert len(released.requests()) == before


def test_a_place_that_takes_no_file_is_refused_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A read-only folder is an error of this machine with a next step, before anything is read."""
    monkeypatch.setattr(report_run, "may_write_in", lambda _folder: False)
    with pytest.raises(UnmoorError) as caught:
        report_run._require_place(tmp_path / "report.html")
    assert caught.value.where == str(tmp_path)
    assert caught.value.next_step
