"""What a release says of its emergencies: the text, the record, and the results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from tests.support.local_forge import LocalForge, draft_inputs, start_forge

from unmoor.adapters.forge import GitHubForge
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.files import describe_file as describe
from unmoor.core.events import Report, StageInfo, StageReport
from unmoor.core.outcome import Failed, Made, Outcome, Skipped
from unmoor.core.stage import Reach
from unmoor.core.waivers import ActorSource, Emergency, Gate, GateResult, GateVerdict
from unmoor.errors import TryLater, Unknown
from unmoor.ports.forge import ForgeAsset, ForgeRelease
from unmoor.products import File, Proof, Result, Scanned, Verdict
from unmoor.products.scan import Level, ScanFinding, Unscanned
from unmoor.publish import emergencies
from unmoor.publish.emergencies import HEAD, encode, final_results, recorded, text_of, with_results, without_text
from unmoor.util.values import replace

HOSTILE = "**bold** <b>html</b> [link](http://x) `code` ``two`` @octocat #1 | ::error::x > quote"


class HalfDown(GitHubForge):
    """A forge that answers reads and refuses uploads."""

    def attach(self, forge_release: ForgeRelease, file: File) -> ForgeAsset:
        """Fail as a gateway does."""
        raise Unknown(f"bad gateway for {file.name}", where=forge_release.url)


def emergency(*gates: Gate, **changes: Any) -> Emergency:
    """An emergency that waives these gates."""
    given = {"reason": "the runners are down", "actor": "octocat", "actor_from": ActorSource.FORGE, **changes}
    return Emergency(gates=gates, **given)


def proof(*results: tuple[Verdict, str]) -> Proof:
    """A proof with these results."""
    named = (Result(name=f"test {n}", verdict=verdict, detail=detail) for n, (verdict, detail) in enumerate(results))
    return Proof(name="prove-dists", subjects=(), results=tuple(named))


FOUND = ScanFinding(id="GHSA-1", rule="r", what="w", file="a.whl", level=Level.ERROR)


@pytest.mark.parametrize(
    ("gate", "products", "verdict", "detail"),
    [
        (Gate.TESTS, {"prove-dists": proof((Verdict.PASSED, ""))}, "passed", ""),
        (Gate.TESTS, {"prove-dists": proof((Verdict.WAIVED, "failed: 2 of 3"))}, "failed", "test 0: 2 of 3"),
        (Gate.TESTS, {"prove-dists": proof((Verdict.WAIVED, "not run: no uv"))}, "not run", "test 0: no uv"),
        (
            Gate.TESTS,
            {"prove-dists": proof((Verdict.WAIVED, "not run: no uv"), (Verdict.WAIVED, "failed: 1"))},
            "failed",
            "test 1: 1",
        ),
        (Gate.TESTS, {"prove-dists": proof((Verdict.NOT_TESTED, "no wheel"))}, "not run", "no wheel"),
        (Gate.TESTS, {"prove-dists": proof()}, "not run", "nothing was tested"),
        (Gate.SMOKE, {}, "not run", "this run has no such stage"),
        (Gate.REPRODUCIBILITY, {"rebuild": proof((Verdict.FAILED, "other bytes"))}, "failed", "test 0: other bytes"),
        (Gate.SCANS, {"scan": Scanned()}, "passed", ""),
        (Gate.SCANS, {"scan": Scanned(findings=(FOUND,))}, "failed", "a.whl: GHSA-1"),
        (Gate.SCANS, {"scan": Scanned(unknown=(Unscanned(kind="secrets", why="x"),))}, "not run", "secrets: x"),
        (Gate.STAGING, {}, "not run", "it comes after this was written"),
    ],
)
def test_results(gate: Gate, products: dict[str, object], verdict: str, detail: str) -> None:
    """Each gate has a result: passed, failed, or not run and why. What did not run never passed."""
    assert with_results(emergency(gate), products).results == (
        GateResult(gate=gate, verdict=GateVerdict(verdict), detail=detail),
    )


@pytest.mark.parametrize(
    ("gate", "outcomes", "verdict"),
    [
        (Gate.STAGING, {"testpypi": Made(None), "prove-testpypi": Made(None)}, "passed"),
        (Gate.STAGING, {"testpypi": Failed(TryLater("busy")), "prove-testpypi": Skipped("no")}, "failed"),
        (Gate.STAGING, {"testpypi": Skipped("draft failed")}, "not run"),
        (Gate.STAGING, {}, "not run"),
        (Gate.ATTESTATIONS, {"sign": Made(None)}, "passed"),
        (Gate.ATTESTATIONS, {}, "not run"),
        (Gate.TESTS, {"prove-dists": Failed(TryLater("busy"))}, "failed"),
        (Gate.RUN_CHECK, {}, "passed"),
    ],
)
def test_results_at_the_end(gate: Gate, outcomes: dict[str, Outcome], verdict: str) -> None:
    """What comes after the manifest counts at the end; what was known before stays."""
    known = (GateResult(gate=gate, verdict=GateVerdict.PASSED),) if gate is Gate.RUN_CHECK else ()
    stages = tuple(
        StageReport(info=StageInfo(name=name, reach=Reach.READS, advisory=False), outcome=each, seconds=0, plan="")
        for name, each in outcomes.items()
    )
    whole = final_results(emergency(gate, results=known), Report(stages=stages, warnings=(), seconds=0))
    assert [each.verdict for each in whole.results] == [verdict]


@pytest.mark.parametrize("reason", [HOSTILE, "`", "``` `", "-", "x" * 1000, "> [!NOTE]"])
def test_the_text_has_no_markup_of_others(reason: str) -> None:
    """The words of people are code: no link, no HTML, nobody is notified; the changelog stays as it was."""
    result = GateResult(gate=Gate.TESTS, verdict=GateVerdict.FAILED, detail=HOSTILE)
    text = text_of(emergency(Gate.TESTS, reason=reason, actor=HOSTILE, results=(result,)))
    assert text.startswith(HEAD)
    tokens = [child for token in MarkdownIt().parse(text) for child in token.children or ()]
    assert {each.type for each in tokens} <= {"text", "code_inline", "softbreak", "strong_open", "strong_close"}
    codes = [each.content.strip() for each in tokens if each.type == "code_inline"]
    assert codes == [reason, HOSTILE, HOSTILE]
    for body in ("- New\n", "", "> a quote\n\n- New"):
        assert without_text(f"{text}\n\n{text}\n\n{body}") == body
        assert without_text(f"{text}\n\n{body}".replace("\n", "\r\n")) == body


def test_a_record_is_read_back_and_others_are_not(tmp_path: Path) -> None:
    """A record counts if its name is that of its bytes; a planted or broken asset counts for nothing."""
    first, second = emergency(Gate.TESTS), emergency(Gate.SCANS, reason="another")
    name, data = encode(second)
    with start_forge(tmp_path) as at:
        one = draft_inputs(at, tmp_path)
        draft = one.stage.make(one.context)
        forge = at.forge()
        (there,) = forge.releases(draft.tag)
        for asset, content in {
            name: data,
            f"emergency-{'0' * 16}.json": data,
            f"emergency-{'1' * 16}.json": b"{",
            "emergency.json": data,
        }.items():
            path = tmp_path / "planted" / asset
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            forge.attach(there, describe(path))
        (there,) = forge.releases(draft.tag)
        manifest = one.stage.folder.read_manifest()
        assert manifest is not None
        assert recorded(manifest, there, forge) == (second,)
        assert recorded(replace(manifest, emergency=first), there, forge) == (first, second)
        assert recorded(replace(manifest, emergency=second), there, forge) == (second,)
        _records_after_the_manifest(at, tmp_path)


def _records_after_the_manifest(at: LocalForge, folder: Path) -> None:
    """An emergency that comes too late for the manifest is in the text, and an asset; a run without one leaves both."""
    one = draft_inputs(at, folder / "late")
    one.stage.make(one.context)
    sums = one.stage.folder.manifest.read_bytes()
    late = emergency(Gate.STAGING, reason=HOSTILE)
    stage = replace(one.stage, emergency=late)
    assert stage.find(one.context) is None
    # The lists work, and uploads do not: the run dies half-way, and the same command continues.
    with pytest.raises(Unknown, match="bad gateway"):
        replace(stage, forge=HalfDown(at.place, at.http, at.clock)).make(one.context)
    made = stage.make(one.context)
    assert one.stage.folder.manifest.read_bytes() == sums
    names = [each.name for each in made.assets if emergencies.is_record(each.name)]
    (there,) = at.forge().releases(one.release.tag)
    assert [each.name for each in there.assets if emergencies.is_record(each.name)] == names != []
    assert there.body.startswith(HEAD)
    for after in (stage, one.stage):  # repeated, and finished without an emergency
        assert after.find(one.context) is not None
        after.make(one.context)
        (again,) = at.forge().releases(one.release.tag)
        assert (again.body, len(again.assets)) == (there.body, len(there.assets))


def test_a_manifest_without_an_emergency_has_the_same_bytes(tmp_path: Path) -> None:
    """The field is absent unless there is an emergency, and a manifest with one is read back whole."""
    with start_forge(tmp_path) as at:
        one = draft_inputs(at, tmp_path)
    plain = manifests.Manifest.of(one.release, one.dists, (one.proof,))
    assert b"emergency" not in manifests.encode(plain)
    whole = replace(plain, emergency=emergency(Gate.TESTS))
    assert manifests.decode(manifests.encode(whole), where="") == whole
    assert (whole.waives(Gate.TESTS), whole.waives(Gate.SMOKE), plain.waives(Gate.TESTS)) == (True, False, False)
