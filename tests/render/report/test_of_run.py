"""What a run knows of a release, and that whatever it does not know is named with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.sample_values import sample_release

from unmoor.advice import NextStep
from unmoor.core.events import LeftOut, Report, StageInfo, StageReport
from unmoor.core.outcome import Failed, Found, Made, Outcome, Planned, Skipped
from unmoor.core.stage import Reach
from unmoor.errors import Conflict
from unmoor.products import (
    Dists,
    File,
    Image,
    Images,
    MovedTag,
    MovedTags,
    Notes,
    Proof,
    Pushed,
    PushedImage,
    Result,
    Signed,
    Subject,
    Tool,
    Uploaded,
    Verdict,
    Verified,
    VerifiedItem,
)
from unmoor.products.surface_state import State
from unmoor.render.report.model import ReleaseReport, ReportLayer, ReportPart, ReportWriter
from unmoor.render.report.of_run import EndedRun, describe_run

WHEEL, SHA = "small_one-1.0-py3-none-any.whl", "b" * 64
NAME, INDEX, LEG = "ghcr.io/acme/demo", f"sha256:{'c' * 64}", f"sha256:{'d' * 64}"
PROOF = Proof(
    name="prove-dists",
    subjects=(Subject(name=WHEEL, sha256=SHA),),
    results=(Result(name="tests", verdict=Verdict.PASSED, counts="3 passed"),),
)
DISTS = Dists(
    files=(File(name=WHEEL, sha256=SHA, size=10, path=Path(WHEEL)),), tools=(Tool(name="build", version="1"),)
)
WHOLE: Mapping[str, Outcome] = {
    "tag": Made(sample_release()),
    "notes": Made(Notes(body="- It floats.", full="- It floats.", source="CHANGELOG.md")),
    "dists": Made(DISTS),
    "prove-dists": Found(PROOF),
    "images": Made(Images(images=(Image(name=NAME, target="", platform="linux/amd64", id="x", size=7),))),
    "sign": Found(Signed(bundles=(File(name=f"{WHEEL}.sigstore.json", sha256=SHA, size=1, path=Path()),), signer="w")),
    "pypi": Made(Uploaded(index="pypi", files=PROOF.subjects)),
    "registry": Made(
        Pushed(
            images=(PushedImage(name=NAME, target="", tag="sha-1", digest=INDEX, platforms=(("linux/amd64", LEG),)),)
        )
    ),
    "image-tags": Made(MovedTags(pointers=(MovedTag(name=NAME, tag="1.0", digest=INDEX),))),
    "verify": Made(
        Verified(
            held=(
                VerifiedItem(surface="pypi", what=WHEEL, digest=SHA, pending="not in the list yet"),
                VerifiedItem(surface="forge", what=WHEEL, digest=SHA),
            )
        )
    ),
}


def described(outcomes: Mapping[str, Outcome | None], **more: object) -> ReleaseReport:
    """Describe a run with these outcomes of its stages."""
    stages = tuple(
        StageReport(
            info=StageInfo(name=name, reach=Reach.REMOTE, advisory=False), outcome=outcome, seconds=1.0, plan=name
        )
        for name, outcome in outcomes.items()
    )
    left_out = more.pop("left_out", ())
    report = Report(stages=stages, warnings=(), seconds=9.0, left_out=left_out)  # type: ignore[arg-type]
    writer = ReportWriter(version="1", command="release", machine="Linux", at=0.0)
    known = {"tag": "v1.0", "repository": "o/n", "world": "w", "rehearsal": False, "writer": writer, **more}
    return describe_run(EndedRun(report=report, **known))  # type: ignore[arg-type]


def test_a_whole_run_knows_everything_but_times() -> None:
    """Surfaces as read back, files, proofs, images with layers and tags, notes, signatures and tools."""
    seen = described(
        WHOLE, layers={LEG: [ReportLayer(digest="sha256:1", size=5), ReportLayer(digest="sha256:2", size=6)]}
    )
    assert (seen.project, seen.version, seen.latest, seen.state) == ("small-one", "1.0", True, State.PENDING)
    assert seen.summary == "released: every surface holds v1.0, verified by digest; installers cannot see 1 item yet"
    assert [(each.surface, each.state) for each in seen.surfaces] == [("pypi", "pending"), ("forge", "complete")]
    assert [(each.name, each.kind) for each in seen.files] == [(WHEEL, "wheel")]
    assert seen.proofs == (PROOF,)
    image = seen.images[0]
    assert (image.digest, image.tags, image.platforms[0].size) == (INDEX, ("sha-1", "1.0"), 11)
    assert [(each.subject, each.identity, each.judged) for each in seen.attestations] == [(WHEEL, "w", "valid")]
    assert (seen.notes, seen.notes_source) == ("- It floats.", "CHANGELOG.md")
    assert [each.part for each in seen.unknown] == [ReportPart.TIMELINE]


BAD = Conflict("other bytes", where="pypi", next_step=NextStep("use the next version", "x"))
NO_VERIFY = {name: outcome for name, outcome in WHOLE.items() if name != "verify"}


@pytest.mark.parametrize(
    ("outcomes", "part", "why"),
    [
        pytest.param({}, ReportPart.FILES, "this release has no stage dists", id="nothing"),
        pytest.param({"dists": None}, ReportPart.FILES, "this run was not asked for dists", id="unasked"),
        pytest.param({"dists": Planned("build")}, ReportPart.TOOLS, "dists: build", id="planned"),
        pytest.param(
            {"prove-dists": Skipped("dists failed")}, ReportPart.PROOFS, "prove-dists: dists failed", id="skipped"
        ),
        pytest.param({"notes": Failed(BAD)}, ReportPart.NOTES, "notes: pypi: other bytes", id="failed"),
        pytest.param(
            NO_VERIFY,
            ReportPart.SURFACES,
            "this run did not read them all back: this release has no stage verify",
            id="unread",
        ),
        pytest.param(
            {"sign": Made(Signed(why_not="it is private"))}, ReportPart.ATTESTATIONS, "it is private", id="unsigned"
        ),
        pytest.param(
            {"images": WHOLE["images"], "registry": Planned("push")}, ReportPart.IMAGES, "registry: push", id="unpushed"
        ),
    ],
)
def test_what_a_run_does_not_know_is_named(outcomes: Mapping[str, Outcome | None], part: ReportPart, why: str) -> None:
    """The reason is how the stage ended that would know it."""
    assert why in [each.why for each in described(outcomes).unknown_of(part)]


def test_what_is_left_out_is_not_absent() -> None:
    """An image that this machine could not build is named among the images."""
    seen = described(WHOLE, left_out=(LeftOut(what="the image x", why="no engine"),))
    assert [each.why for each in seen.unknown_of(ReportPart.IMAGES)] == ["left out: no engine"]


def test_a_failed_run_says_what_is_out() -> None:
    """It names the stage, the next step, and what the stages before it left on the surfaces."""
    seen = described({**NO_VERIFY, "undraft": Failed(BAD)})
    assert seen.summary.startswith("undraft failed; ")
    assert [(each.stage, each.what, each.next_step) for each in seen.failures] == [
        ("undraft", "other bytes", "use the next version")
    ]
    assert seen.state is State.UNKNOWN
    assert {each.surface for each in seen.surfaces} == {"pypi", NAME}
