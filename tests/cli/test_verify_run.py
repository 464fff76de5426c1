"""``unmoor verify`` before it asks any server, and what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unmoor.cli import verify_run
from unmoor.cli.app import run
from unmoor.config.real_world import real_world
from unmoor.errors import ConfigError
from unmoor.util.values import replace
from unmoor.verification.asked import VerifyRequest
from unmoor.verification.checks import CheckedItem, Mark
from unmoor.verification.release import VerificationResult
from unmoor.verification.signers import ReleaseSource

MISTAKES: list[tuple[list[str], int, str]] = [
    (["v1.0"], 2, "name the repository too: unmoor verify owner/name@TAG"),
    (["acme/demo@--x"], 4, "--x"),
    (["demo==1.x"], 2, "'1.x' is not a version"),
    (["demo==1.0", "--identity", "me"], 2, "neither a repository (owner/name) nor a workflow"),
    (["demo==1.0", "--trust-root", "none.json"], 3, "the trusted root: there is no such file"),
    (["demo==1.0", "--from-world", "none.toml"], 3, "cannot read this world file"),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda each: " ".join(each[0]))
def test_a_mistake_is_one_message(
    mistake: tuple[list[str], int, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is asked, and nothing is left in the folder."""
    args, code, says = mistake
    monkeypatch.chdir(tmp_path)
    assert run(["verify", *args]) == code
    seen = capsys.readouterr()
    assert says in seen.err
    assert not seen.out
    assert not list(tmp_path.iterdir())


def test_a_world_of_rehearsals_never_asks_the_public_sigstore(tmp_path: Path) -> None:
    """Without keys of its own, and none given, nothing can be checked in it."""
    world = replace(real_world("acme/demo", {}), rehearsal=True, signing=None)
    with pytest.raises(ConfigError, match="has no Sigstore whose signatures could be checked"):
        verify_run._roots(world, None)
    assert verify_run._roots(replace(world, rehearsal=False), None) is None
    missing = replace(world, forge=replace(world.forge, trust=str(tmp_path / "not-yet.json")))
    with pytest.raises(ConfigError):
        verify_run._roots(missing, None)


RESULT = VerificationResult(
    source=ReleaseSource(repository="acme/demo", repository_id="7", tag="v1.0", commit="a" * 40),
    project="demo",
    version="1.0",
    checks=(
        CheckedItem(surface="github", name="demo.whl", mark=Mark.OK, note="sha256 0"),
        CheckedItem(surface="github", name="signatures", mark=Mark.MISSING, note="nothing on the release is signed"),
    ),
    notes=("not checked: demo.pdf",),
    earlier="v0.9",
)


def test_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """A table or JSON on stdout; the remarks, the warning and the answer on stderr."""
    world, asked = real_world("acme/demo", {}), VerifyRequest(repository="acme/demo", tag="v1.0")
    verify_run._print(asked, RESULT, world, as_json=False)
    seen = capsys.readouterr()
    assert seen.out.splitlines() == [
        "result   where   what",
        "ok       github  demo.whl    sha256 0",
        "missing  github  signatures  nothing on the release is signed",
    ]
    assert seen.err.splitlines() == [
        "note:  not checked: demo.pdf",
        "warning: earlier releases were signed (v0.9), this one is not",
        "acme/demo@v1.0 is not verified: something is missing",
    ]
    verify_run._print(asked, RESULT, world, as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert (document["answer"], document["exit_code"], document["earlier"]) == ("missing", 12, "v0.9")
    assert document["checks"][0] == {"surface": "github", "name": "demo.whl", "mark": "ok", "note": "sha256 0"}


def test_each_answer_has_its_exit_code() -> None:
    """The worst result decides; what is unknown never passes, and without any check nothing is known."""
    assert {mark: verify_run.CODES[mark] for mark in Mark} == {"ok": 0, "missing": 12, "unknown": 10, "wrong": 16}
    assert [mark.value for mark in verify_run.ANSWERS] == ["ok", "missing", "unknown", "wrong"]
    assert replace(RESULT, checks=()).answer is Mark.UNKNOWN
