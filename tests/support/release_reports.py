"""Reports of releases: an ordinary one, one of hostile text, one that knows little, one that failed, a large one."""

from __future__ import annotations

from unmoor.core.events import LeftOut
from unmoor.core.waivers import ActorSource, Emergency, Gate, GateResult, GateVerdict
from unmoor.products import Proof, Result, Subject, Tool
from unmoor.products.proof import Verdict
from unmoor.products.surface_state import Item, State, SurfaceState
from unmoor.render.report.model import (
    ReleaseReport,
    ReportApproval,
    ReportAttestation,
    ReportFailure,
    ReportFile,
    ReportImage,
    ReportLayer,
    ReportPart,
    ReportPlatform,
    ReportWarning,
    ReportWriter,
    Timeline,
    TimelineStage,
    UnknownFact,
)
from unmoor.util.values import replace

WHEEL = "lighthouse-1.2.0-py3-none-any.whl"
SDIST = "lighthouse-1.2.0.tar.gz"
_IDENTITY = "https://github.com/acme/lighthouse/.github/workflows/release.yml@refs/tags/v1.2.0"
HOSTILE = (
    "</title><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\x1b]8;;https://evil.example\x07 link"
    "\u202egnp.exe\x00 {{ 7*7 }} {% raw %} '\"> javascript:alert(3) ::error::no " + "very-long-" * 300
)
"""Text that is HTML, a template, terminal escapes, a workflow command, or far too long."""


def _writer(command: str = "release") -> ReportWriter:
    return ReportWriter(
        version="1.4.0",
        command=command,
        machine="GitHub Actions, Linux x86_64",
        at=1_790_000_123.5,
        run_url="https://github.com/acme/lighthouse/actions/runs/7/attempts/1",
    )


def _surfaces() -> tuple[SurfaceState, ...]:
    wheel, sdist, image = "a1" * 32, "b2" * 32, f"sha256:{'c3' * 32}"
    files = [
        Item(name=WHEEL, state=State.COMPLETE, expected=wheel, seen=wheel),
        Item(name=SDIST, state=State.COMPLETE, expected=sdist, seen=sdist),
    ]
    pending = Item(name=WHEEL, state=State.PENDING, expected=wheel, seen=wheel, note="not in the simple index yet")
    tags = [Item(name=tag, state=State.COMPLETE, expected=image, seen=image) for tag in ("1.2.0", "1.2", "latest")]
    tag = Item(name="v1.2.0", state=State.COMPLETE, expected="d4" * 20, seen="d4" * 20)
    return (
        SurfaceState.of("tag", [tag]),
        SurfaceState.of("index", [*files, pending], url="https://index.example/project/lighthouse/1.2.0/"),
        SurfaceState.of("github", files, url="https://github.com/acme/lighthouse/releases/tag/v1.2.0"),
        SurfaceState.of("ghcr.io/acme/lighthouse", tags, url="https://ghcr.io/acme/lighthouse"),
    )


def _timeline() -> Timeline:
    rows = [
        ("tag", "reads", 0.0, 0.1, "made", "lighthouse 1.2.0 at d4d4d4d4d4d4 (final, the highest)"),
        ("access", "reads", 0.1, 0.6, "made", "4 credentials and names checked"),
        ("dists", "local", 0.1, 8.4, "made", "2 files, 31.2 kB"),
        ("prove-dists", "local", 8.5, 21.0, "made", "8 checks passed; tests: 1,204 passed, 3 skipped"),
        ("draft", "remote", 29.6, 3.2, "found", "6 assets"),
        ("testpypi", "remote", 32.8, 0.0, "skipped", "--skip testpypi"),
        ("pypi", "final", 33.0, 2.5, "made", "2 files on index"),
        ("verify", "reads", 35.6, 1.9, "made", "9 items read back"),
    ]
    stages = (
        TimelineStage(name=name, reach=reach, begin=begin, seconds=seconds, outcome=outcome, text=text)
        for name, reach, begin, seconds, outcome, text in rows
    )
    return Timeline(started=1_790_000_086.0, seconds=37.5, stages=tuple(stages), source="this run")


def _images() -> tuple[ReportImage, ...]:
    def platform(name: str, digit: str) -> ReportPlatform:
        layers = (
            ReportLayer(digest=f"sha256:{digit * 64}", size=29_150_000),
            ReportLayer(digest=f"sha256:{digit * 63}0", size=3_400_000),
        )
        return ReportPlatform(platform=name, digest=f"sha256:{digit * 64}", size=32_550_000, layers=layers)

    return (
        ReportImage(
            name="ghcr.io/acme/lighthouse",
            target="production",
            digest=f"sha256:{'c3' * 32}",
            tags=("sha-d4d4d4d", "1.2.0", "1.2", "latest"),
            platforms=(platform("linux/amd64", "5"), platform("linux/arm64", "6")),
        ),
        ReportImage(
            name="ghcr.io/acme/lighthouse",
            target="development",
            digest=f"sha256:{'7e' * 32}",
            tags=("1.2.0-dev",),
            platforms=(ReportPlatform(platform="linux/amd64", digest=f"sha256:{'7e' * 32}"),),
        ),
    )


def _proofs() -> tuple[Proof, ...]:
    subjects = (Subject(name=WHEEL, sha256="a1" * 32), Subject(name=SDIST, sha256="b2" * 32))
    results = (
        Result(name=f"{WHEEL}: installs", verdict=Verdict.PASSED),
        Result(name=f"{WHEEL}: the project's tests", verdict=Verdict.PASSED, counts="1,204 passed, 3 skipped"),
        Result(name=f"{SDIST}: the project's tests", verdict=Verdict.NOT_TESTED, detail="there is no compiler"),
    )
    rebuild = (Result(name="same bytes", verdict=Verdict.WAIVED, detail="not run: no network"),)
    return (
        Proof(name="prove-dists", subjects=subjects, results=results),
        Proof(name="rebuild", subjects=subjects, results=rebuild),
    )


def _emergency() -> Emergency:
    gate = Gate.REPRODUCIBILITY
    return Emergency(
        reason="the mirror is down and users wait for the fix",
        actor="amelia",
        actor_from=ActorSource.ACTIONS,
        gates=(gate,),
        results=(GateResult(gate=gate, verdict=GateVerdict.NOT_RUN, detail="no network"),),
    )


def ordinary_report() -> ReleaseReport:
    """A release that is complete, of a run that just ended."""
    return ReleaseReport(
        project="lighthouse",
        tag="v1.2.0",
        repository="acme/lighthouse",
        world="real",
        rehearsal=False,
        state=State.PENDING,
        summary="released: every surface holds v1.2.0, verified by digest",
        writer=_writer(),
        version="1.2.0",
        commit="d4" * 20,
        prerelease=False,
        latest=True,
        url="https://github.com/acme/lighthouse/releases/tag/v1.2.0",
        surfaces=_surfaces(),
        timeline=_timeline(),
        warnings=(ReportWarning(stage="access", text="the name on the index is not proven to be yours"),),
        files=(
            ReportFile(name=WHEEL, kind="wheel", size=18_211, sha256="a1" * 32),
            ReportFile(name=SDIST, kind="sdist", size=13_004, sha256="b2" * 32),
            ReportFile(name=f"{WHEEL}.cdx.json", kind="SBOM", size=4_113, sha256="e5" * 32),
        ),
        proofs=_proofs(),
        images=_images(),
        notes="## Fixed\n\n- The lamp turns *again* ([#12](https://github.com/acme/lighthouse/issues/12)).\n\n"
        "```python\nprint('on')\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
        notes_source="CHANGELOG.md",
        attestations=(
            ReportAttestation(subject=WHEEL, where=f"{WHEEL}.sigstore.json", identity=_IDENTITY, judged="valid"),
            ReportAttestation(subject="ghcr.io/acme/lighthouse", where="ghcr.io", identity="", judged="not checked"),
        ),
        approvals=(ReportApproval(environment="pypi", state="approved", who="grace", comment="go"),),
        emergencies=(_emergency(),),
        tools=(
            Tool(name="build", version="1.2.2"),
            Tool(name="hatchling", version="1.27.0", sha256="f6" * 32),
            Tool(name="unmoor", version="1.4.0"),
        ),
        decisions=("wheel-from = tree",),
        left_out=(LeftOut(what="the image docker.io/acme/lighthouse", why="the world has no registry for it"),),
    )


def little_known_report() -> ReleaseReport:
    """A report made elsewhere, where most is not known: nothing of that may look as if it were not there."""
    return ReleaseReport(
        project="lighthouse",
        tag="v1.2.0",
        repository="acme/lighthouse",
        world="real",
        rehearsal=False,
        state=State.UNKNOWN,
        summary="v1.2.0 is unknown",
        writer=replace(_writer("report"), machine="Linux x86_64", run_url=""),
        exit_code=10,
        surfaces=(
            SurfaceState(surface="index", state=State.UNKNOWN, note="the server answered 429: too many requests"),
            SurfaceState(surface="github", state=State.UNKNOWN, note="the server answered 403"),
        ),
        unknown=tuple(
            UnknownFact(part=part, what=f"the {part}", why="the run folder of this release is on another machine")
            for part in ReportPart
        ),
    )


def failed_report() -> ReleaseReport:
    """A run that failed before it sent anything."""
    failed = TimelineStage(
        name="prove-dists", reach="local", begin=8.5, seconds=2.0, outcome="failed", text="2 tests failed"
    )
    skipped = TimelineStage(name="draft", reach="remote", outcome="skipped", text="prove-dists failed")
    whole = ordinary_report()
    stages = () if whole.timeline is None else whole.timeline.stages[:3]
    return replace(
        whole,
        state=State.INCOMPLETE,
        summary="prove-dists failed; nothing was uploaded or published",
        exit_code=5,
        url="",
        surfaces=(),
        timeline=Timeline(started=1_790_000_086.0, seconds=10.5, stages=(*stages, failed, skipped), source="this run"),
        failures=(
            ReportFailure(
                stage="prove-dists",
                what="2 tests failed:\n  tests/test_lamp.py::test_on\n  tests/test_lamp.py::test_off",
                where=WHEEL,
                next_step="correct the project, then release the next version",
            ),
        ),
        images=(),
        attestations=(),
        approvals=(),
        unknown=(UnknownFact(part=ReportPart.SURFACES, what="the surfaces", why="the run did not read them back"),),
    )


def hostile_report() -> ReleaseReport:
    """A report in which every text from outside is `HOSTILE`."""
    text = HOSTILE
    whole = ordinary_report()
    item = Item(name=text, state=State.CONFLICTING, expected=text, seen=text, note=text)
    subject = Subject(name=text, sha256=text)
    emergency = replace(_emergency(), reason=text, actor=text)
    return replace(
        whole,
        project=text,
        tag=text,
        repository=text,
        world=text,
        summary=text,
        version=text,
        commit=text,
        url=f"javascript:alert('{text}')",
        state=State.CONFLICTING,
        writer=ReportWriter(version=text, command=text, machine=text, at=0.0, run_url=f"javascript:{text}"),
        surfaces=(SurfaceState.of(text, [item], note=text, url=f"data:text/html,{text}"),),
        timeline=Timeline(
            started=None,
            seconds=float("1e300"),
            stages=(TimelineStage(name=text, outcome=text, begin=1e300, seconds=1e300, reach=text, text=text),),
            source=text,
        ),
        failures=(ReportFailure(stage=text, what=f"{text}\n{text}", where=text, next_step=text),),
        warnings=(ReportWarning(stage=text, text=text),),
        files=(ReportFile(name=text, kind=text, size=10**30, sha256=text),),
        proofs=(
            Proof(
                name=text,
                subjects=(subject,),
                results=(Result(name=text, verdict=Verdict.FAILED, detail=text, counts=text),),
            ),
        ),
        images=(
            ReportImage(
                name=text,
                target=text,
                digest=text,
                tags=(text,),
                platforms=(ReportPlatform(platform=text, digest=text, layers=(ReportLayer(digest=text, size=0),)),),
            ),
        ),
        notes=f"# {text}\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) ![p](https://evil.example/p.png)\n"
        f"<style>body{{display:none}}</style><iframe src='https://evil.example'></iframe>\n",
        notes_source=text,
        attestations=(ReportAttestation(subject=text, where=text, identity=text, judged=text, note=text),),
        approvals=(ReportApproval(environment=text, state=text, who=text, comment=text),),
        emergencies=(emergency,),
        tools=(Tool(name=text, version=text, sha256=text),),
        decisions=(text,),
        left_out=(LeftOut(what=text, why=text),),
        unknown=tuple(UnknownFact(part=part, what=text, why=text) for part in ReportPart),
    )


def large_report(files: int = 200) -> ReleaseReport:
    """A release of many files, on every surface."""
    named = [(f"lighthouse-1.2.0-cp3{n % 14}-cp3{n % 14}-linux_{n:03d}.whl", f"{n:064x}") for n in range(files)]
    items = [Item(name=name, state=State.COMPLETE, expected=digest, seen=digest) for name, digest in named]
    subjects = tuple(Subject(name=name, sha256=digest) for name, digest in named)
    results = tuple(Result(name=name, verdict=Verdict.PASSED, counts="1,204 passed") for name, _ in named)
    return replace(
        ordinary_report(),
        surfaces=(SurfaceState.of("index", items), SurfaceState.of("github", items)),
        files=tuple(ReportFile(name=name, kind="wheel", size=18_211, sha256=digest) for name, digest in named),
        proofs=(Proof(name="prove-dists", subjects=subjects, results=results),),
    )
