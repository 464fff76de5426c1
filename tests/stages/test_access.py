"""The stage ``access`` reports problems with logins, permissions and names before anything is built."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.support.listed_index import FakeIndex, listed_files
from tests.support.local_forge import RELEASE

from unmoor import advice
from unmoor.adapters.engine import DockerEngine
from unmoor.adapters.github.answers import NotFound, RateLimited
from unmoor.advice import NextStep
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.images import ImageSettings
from unmoor.config.settings import Settings
from unmoor.core.stage import Reach, StageContext
from unmoor.errors import Denied, Internal, Refused, ToolMissing, Unknown, UnmoorError
from unmoor.images.image_names import BuildTarget
from unmoor.images.image_plan import ImagePlan, planner
from unmoor.ports.engine import EngineFacts
from unmoor.ports.forge import ForgeRelease, ForgeRepository
from unmoor.ports.index import Holding, LoginProbe, ProjectStatus
from unmoor.ports.system import MACOS, WINDOWS, System
from unmoor.products import Access, Certainty, Release
from unmoor.release_request import ReleaseRequest
from unmoor.render.advice import next_step
from unmoor.stages.access import ProveAccess
from unmoor.util.values import replace

EMPTY = Holding(simple={}, json=None)
MINE = Release(
    repository="acme/demo",
    project="demo",
    tag="v1.0",
    version="1.0",
    commit="a" * 40,
    date=0,
    prerelease=False,
    highest=True,
)
WHOLE = ForgeRepository(full_name="acme/demo", private=False, archived=False, can_push=True)


@dataclass(frozen=True)
class FakeForge:
    """A forge that only answers for the repository and one tag; anything else is an AttributeError."""

    seen: ForgeRepository | UnmoorError = WHOLE
    token: bool = True
    shown: ForgeRelease | UnmoorError | None = None
    attests: bool | None = False
    address: str = "http://example.org/acme/demo"

    def has_token(self) -> bool:
        """Whether there is one."""
        return self.token

    def repository(self) -> ForgeRepository:
        """The repository as the forge describes it."""
        if isinstance(self.seen, UnmoorError):
            raise self.seen
        return self.seen

    def public(self, tag: str) -> ForgeRelease | None:
        """The public release."""
        assert tag == MINE.tag
        if isinstance(self.shown, UnmoorError):
            raise self.shown
        return self.shown

    def attested(self, tag: str) -> bool | None:
        """Whether an attestation names the tag."""
        assert tag == MINE.tag
        return self.attests


@dataclass(frozen=True)
class AccessResult:
    """The messages and the product of the stage."""

    access: Access
    warned: list[str]
    messages: list[str]

    def details(self, certainty: Certainty) -> str:
        """The details of all findings of one certainty."""
        return "\n".join(
            f"{each.surface}: {each.detail}" for each in self.access.findings if each.certainty is certainty
        )


@dataclass(frozen=True)
class AccessInputs:
    """The surfaces that the stage checks; all is well unless a test changes it."""

    forge: FakeForge = field(default_factory=FakeForge)
    index: FakeIndex = field(default_factory=lambda: FakeIndex(EMPTY, login="~/.pypirc"))
    staging: FakeIndex | None = field(default_factory=lambda: FakeIndex(EMPTY, name="testpypi", login="keyring"))
    ceiling: Reach = Reach.FINAL
    advisory: bool = False
    engine: FakeEngine | DockerEngine | None = None
    plans: tuple[ImagePlan, ...] = ()
    why_no_images: str = ""

    def look(self) -> AccessResult:
        """Run the stage."""
        warned: list[str] = []
        messages: list[str] = []
        stage = ProveAccess(
            name="access",
            release=RELEASE,
            index=self.index,
            staging=self.staging,
            advisory_staging=self.advisory,
            forge=self.forge,  # type: ignore[arg-type]
            ceiling=self.ceiling,
            engine=self.engine,  # type: ignore[arg-type]
            plans=self.plans,
            why_no_images=self.why_no_images,
        )
        assert "read" in stage.plan()
        return AccessResult(
            stage.make(StageContext({RELEASE.by: MINE}, say=messages.append, warn=warned.append)), warned, messages
        )


def test_reads_prove_what_they_can_and_the_rest_names_its_stage() -> None:
    """Only the first upload proves a login; everything else is proven here."""
    result = AccessInputs().look()
    assert "may write" in result.details(Certainty.PROVEN)
    unproven = [each for each in result.access.findings if each.certainty is Certainty.UNPROVEN]
    assert [(each.surface, each.proven_by) for each in unproven] == [("testpypi", "testpypi"), ("pypi", "pypi")]
    assert "keyring" in unproven[0].detail
    assert result.warned == []
    assert [each.rpartition("; ")[2] for each in result.messages] == [
        "the stage testpypi proves it",
        "the stage pypi proves it",
    ]


def test_a_world_without_a_staging_index() -> None:
    """Without a staging index nothing is checked on one."""
    assert {each.surface for each in AccessInputs(staging=None).look().access.findings} == {"forge", "pypi"}


@pytest.mark.parametrize("ceiling", [Reach.READS, Reach.FINAL])
def test_files_that_are_there_already_are_named(ceiling: Reach) -> None:
    """Names of this version are shown before anything is built: in the plan too. They are no problem as such."""
    held = Holding(simple=listed_files({"demo-1.0.tar.gz": "0" * 64}), json=listed_files({"demo-1.0-x.whl": None}))
    result = AccessInputs(index=FakeIndex(held, login="x"), ceiling=ceiling).look()
    line = "pypi: it holds files of 1.0 already: demo-1.0-x.whl, demo-1.0.tar.gz"
    assert line in result.details(Certainty.PROVEN)
    assert line in result.messages
    assert "pypi holds demo-1.0-x.whl, demo-1.0.tar.gz already" in result.access.summary


def test_the_first_release_creates_the_project() -> None:
    """An unknown project is reported, but is no problem."""
    result = AccessInputs(index=FakeIndex(EMPTY, login="x", known=False)).look()
    assert "first release" in result.details(Certainty.UNPROVEN)


@pytest.mark.parametrize(
    ("marker", "certainty", "words"),
    [
        (ProjectStatus(), Certainty.PROVEN, "the project demo exists"),
        (ProjectStatus(marker="deprecated"), Certainty.PROVEN, "is deprecated there"),
        (ProjectStatus(marker="deprecated", reason="use x"), Certainty.PROVEN, "is deprecated there (use x)"),
        (ProjectStatus(marker="frozen"), Certainty.DOUBTFUL, "has the status frozen, which may refuse uploads"),
    ],
)
def test_the_status_of_the_project(marker: ProjectStatus, certainty: Certainty, words: str) -> None:
    """A status that takes files is proven; one that PEP 792 does not define is a warning."""
    result = AccessInputs(index=FakeIndex(EMPTY, login="x", marker=marker)).look()
    assert words in result.details(certainty)
    assert [words in each for each in result.warned] == ([True] if certainty is Certainty.DOUBTFUL else [])


CLOSED = {
    "archived": ("which takes no files of it", "unarchive it"),
    "quarantined": ("which takes no files of it: malware", "ask the operators of pypi"),
}


@pytest.mark.parametrize("status", CLOSED)
def test_a_closed_project_stops_before_the_build(status: str) -> None:
    """An archived or quarantined project takes no files; the error has the index's reason, and says who can open it."""
    what, advice = CLOSED[status]
    index = FakeIndex(EMPTY, login="x", marker=ProjectStatus(marker=status, reason="malware"))
    with pytest.raises(Refused, match=f"the project demo is {status} on pypi, {what}") as caught:
        AccessInputs(index=index).look()
    assert advice in caught.value.next_step
    assert caught.value.where == "http://example.org/demo/1.0/"
    for ceiling in (Reach.READS, Reach.LOCAL, Reach.REMOTE):
        listed = AccessInputs(index=index, ceiling=ceiling).look()
        assert [f"is {status} on pypi" in each for each in listed.warned] == [True]


def test_a_closed_project_that_holds_the_version_needs_no_upload() -> None:
    """A complete release can still be verified after its project was archived."""
    there = Holding(simple=listed_files({"demo-1.0.tar.gz": "a" * 64}), json=None)
    result = AccessInputs(index=FakeIndex(there, login="x", marker=ProjectStatus(marker="archived"))).look()
    assert "a complete release needs no upload" in result.details(Certainty.UNPROVEN)


def test_a_closed_project_on_an_advisory_staging_index_is_a_warning() -> None:
    """An advisory staging index stops nothing."""
    staging = FakeIndex(EMPTY, name="testpypi", login="x", marker=ProjectStatus(marker="archived"))
    assert "is archived on testpypi" in AccessInputs(staging=staging, advisory=True).look().warned[0]


def test_a_first_release_with_a_pending_publisher_says_how_long_it_lasts() -> None:
    """The index does not show pending publishers, so a expired one is found only by the exchange."""
    index = FakeIndex(EMPTY, login="trusted publishing", minted=True, known=False)
    assert "a pending publisher for it expires 30 days" in AccessInputs(index=index).look().details(Certainty.UNPROVEN)
    stored = FakeIndex(EMPTY, login="x", known=False)
    assert "pending publisher" not in AccessInputs(index=stored).look().details(Certainty.UNPROVEN)


def test_a_doubtful_login_is_a_warning() -> None:
    """The index decides, so the run continues."""
    index = FakeIndex(EMPTY, login="trusted publishing", minted=True, warning="a reusable workflow")
    result = AccessInputs(index=index).look()
    assert result.warned == ["pypi: a reusable workflow; the stage pypi proves it"]


def test_an_unknown_permission_is_left_to_the_draft() -> None:
    """Some tokens' rights cannot be read."""
    result = AccessInputs(forge=FakeForge(replace(WHOLE, can_push=None))).look()
    assert "the forge does not say whether the token may write" in result.details(Certainty.UNPROVEN)


PUBLIC = ForgeRelease(
    id=1,
    tag=MINE.tag,
    target=MINE.commit,
    name="",
    body="",
    draft=False,
    prerelease=False,
    url="",
    upload_url="",
    assets=(),
    immutable=True,
)


@pytest.mark.parametrize(
    ("door", "certainty", "words"),
    [
        (FakeForge(), Certainty.PROVEN, "no attestation of an immutable release with the tag v1.0"),
        (
            FakeForge(attests=None),
            Certainty.UNPROVEN,
            "the forge does not say whether a deleted immutable release used the tag v1.0",
        ),
        (FakeForge(attests=True, shown=PUBLIC), Certainty.PROVEN, "there is a public release of v1.0"),
    ],
    ids=["never", "unknown", "still there"],
)
def test_a_tag_that_an_immutable_release_had(door: FakeForge, certainty: Certainty, words: str) -> None:
    """An attestation decides; without one, the finding names the stage that will show it."""
    result = AccessInputs(forge=door).look()
    assert words in result.details(certainty)
    assert any("undraft proves it" in each for each in result.messages) == (certainty is Certainty.UNPROVEN)


def test_a_name_in_another_case_is_the_same_repository() -> None:
    """Repository names are compared without case, as on GitHub."""
    AccessInputs(forge=FakeForge(replace(WHOLE, full_name="Acme/Demo"))).look()


LIMITED = RateLimited("the forge's rate limit", where="", wait=60.0)
ABSENT = NotFound("not found", where="", next_step=NextStep("look"))
WRONG: dict[str, tuple[AccessInputs, type[UnmoorError], str]] = {
    "no token": (AccessInputs(forge=FakeForge(token=False)), Denied, "GITHUB_TOKEN or GH_TOKEN"),
    "may not push": (AccessInputs(forge=FakeForge(replace(WHOLE, can_push=False))), Denied, "contents: write"),
    "moved": (AccessInputs(forge=FakeForge(replace(WHOLE, full_name="acme/new"))), Refused, "acme/new"),
    "archived": (AccessInputs(forge=FakeForge(replace(WHOLE, archived=True))), Refused, "unarchive"),
    "not shown": (AccessInputs(forge=FakeForge(ABSENT)), Denied, "look"),
    "limited": (AccessInputs(forge=FakeForge(LIMITED)), Unknown, "wait 1 min, then run"),
    "tag of a deleted immutable release": (
        AccessInputs(forge=FakeForge(attests=True)),
        Refused,
        "release a new version",
    ),
    "no login": (AccessInputs(index=FakeIndex(EMPTY)), Denied, "set UNMOOR_PYPI_PASSWORD"),
    "no staging login": (AccessInputs(staging=FakeIndex(EMPTY, name="testpypi")), Denied, "UNMOOR_TESTPYPI_PASSWORD"),
    "index on fire": (
        AccessInputs(index=FakeIndex(Unknown("on fire", next_step=NextStep("wait")), login="x")),
        Unknown,
        "wait",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_problem_stops_the_run_with_a_next_step(case: str) -> None:
    """A single problem is raised unchanged."""
    world, error, advice = WRONG[case]
    with pytest.raises(error) as caught:
        world.look()
    assert advice in next_step(caught.value) + caught.value.what


def test_one_problem_that_two_probes_meet_is_told_once() -> None:
    """A repository that is not there is a 404 for each question about it."""
    world = AccessInputs(forge=FakeForge(ABSENT, shown=ABSENT))
    with pytest.raises(Denied) as caught:
        world.look()
    assert (caught.value.what, caught.value.next_step) == ("not found", "look")
    listed = replace(world, ceiling=Reach.READS).look()
    assert listed.warned == ["not found"]
    assert [each.detail for each in listed.access.findings if each.surface == "forge"] == ["not found; look"]


def test_all_problems_are_one_error() -> None:
    """The most serious error decides the class; every next step is listed once."""
    world = AccessInputs(
        forge=FakeForge(LIMITED, token=False), index=FakeIndex(EMPTY), staging=FakeIndex(EMPTY, name="testpypi")
    )
    with pytest.raises(Denied) as caught:
        world.look()
    assert all(part in caught.value.what for part in ("token", "testpypi", "login for pypi", "rate limit"))
    assert caught.value.next_step.count("TWINE_PASSWORD") == 1


@pytest.mark.parametrize("case", WRONG)
def test_a_plan_lists_problems_and_continues(case: str) -> None:
    """A run that only reads needs no credentials."""
    result = replace(WRONG[case][0], ceiling=Reach.READS).look()
    assert len(result.warned) == 1
    assert result.details(Certainty.UNPROVEN)


@pytest.mark.parametrize(
    ("ceiling", "stopped"),
    [(Reach.READS, False), (Reach.LOCAL, False), (Reach.REMOTE, False), (Reach.FINAL, True)],
)
def test_a_login_is_needed_only_by_a_run_that_uses_it(*, ceiling: Reach, stopped: bool) -> None:
    """A job that stops before the final stages needs no login for the index."""
    world = AccessInputs(index=FakeIndex(EMPTY), ceiling=ceiling)
    if stopped:
        with pytest.raises(Denied):
            world.look()
    else:
        assert "no login" in world.look().details(Certainty.UNPROVEN)


def test_an_advisory_staging_index_stops_no_run() -> None:
    """A missing login is a warning for an advisory staging index, and stops the run for the index."""
    result = AccessInputs(staging=FakeIndex(EMPTY, name="testpypi"), advisory=True).look()
    assert len(result.warned) == 1
    assert "no login for testpypi" in result.warned[0]
    with pytest.raises(Denied, match="no login for pypi"):
        AccessInputs(staging=FakeIndex(EMPTY, name="testpypi"), index=FakeIndex(EMPTY), advisory=True).look()


def test_an_index_that_holds_the_version_needs_no_login() -> None:
    """A job that resumes after another's upload needs no login for that index."""
    there = Holding(simple=listed_files({"demo-1.0.tar.gz": "a" * 64}), json=None)
    result = AccessInputs(staging=FakeIndex(there, name="testpypi")).look()
    assert "is there already" in result.details(Certainty.UNPROVEN)


TRUSTED = {"login": "trusted publishing", "minted": True}
THERE = Holding(simple=listed_files({"demo-1.0.tar.gz": "a" * 64}), json=None)


@pytest.mark.parametrize(
    ("ceiling", "known", "held", "proved", "certainty"),
    [
        (Reach.READS, True, EMPTY, [LoginProbe.READING], Certainty.UNPROVEN),
        (Reach.LOCAL, True, EMPTY, [LoginProbe.READING], Certainty.UNPROVEN),
        (Reach.REMOTE, True, EMPTY, [LoginProbe.READING], Certainty.UNPROVEN),
        (Reach.FINAL, True, EMPTY, [LoginProbe.MINTING], Certainty.PROVEN),
        (Reach.FINAL, False, EMPTY, [LoginProbe.ASKING], Certainty.UNPROVEN),
        (Reach.FINAL, True, THERE, [], Certainty.UNPROVEN),
    ],
)
def test_a_token_is_minted_only_for_a_project_that_exists_and_a_run_that_uploads(
    *, ceiling: Reach, known: bool, held: Holding, proved: list[LoginProbe], certainty: Certainty
) -> None:
    """The exchange would create the project of a pending publisher, which only the publishing stage may do."""
    index = FakeIndex(held, known=known, **TRUSTED)  # type: ignore[arg-type]
    access = AccessInputs(index=index, ceiling=ceiling).look().access
    assert index.proved == proved
    (login, *_) = [each for each in access.findings if each.surface == "pypi"]
    assert (login.certainty, login.proven_by) == (certainty, "" if certainty is Certainty.PROVEN else "pypi")
    assert ("since that would create the project" in login.detail) is not known


def test_a_run_that_holds_mints_for_the_staging_index() -> None:
    """A run that stops before the final stages mints only for the staging index."""
    staging = FakeIndex(EMPTY, name="testpypi", **TRUSTED)  # type: ignore[arg-type]
    AccessInputs(staging=staging, ceiling=Reach.REMOTE).look()
    assert staging.proved == [LoginProbe.MINTING]


def test_an_invalid_login_stops_before_the_build() -> None:
    """An invalid login stops the run, or is only listed if this run would not use it."""
    wrong = "it is a token of the other index"
    with pytest.raises(Denied, match=wrong):
        AccessInputs(index=FakeIndex(EMPTY, login="x", wrong=wrong)).look()
    result = AccessInputs(index=FakeIndex(EMPTY, login="x", wrong=wrong), ceiling=Reach.REMOTE).look()
    assert wrong in result.details(Certainty.UNPROVEN)


def test_a_table_among_the_problems_begins_on_its_own_line() -> None:
    """A message of several lines is not joined to others on one line."""
    table = "no publisher\nclaim | publisher"
    world = AccessInputs(index=FakeIndex(EMPTY, login="x", wrong=table), staging=FakeIndex(EMPTY, name="testpypi"))
    with pytest.raises(Denied) as caught:
        world.look()
    assert "claim | publisher" in caught.value.what.splitlines()


def test_a_bug_is_never_a_finding() -> None:
    """Only errors of a surface become findings."""
    with pytest.raises(Internal):
        AccessInputs(forge=FakeForge(Internal("oops", next_step=NextStep())), ceiling=Reach.READS).look()


@dataclass(frozen=True)
class FakeEngine:
    """An engine that answers, or does not."""

    error: UnmoorError | None = None

    def facts(self) -> EngineFacts:
        """Its facts."""
        if self.error is not None:
            raise self.error
        return EngineFacts(version="28.0", builder="buildx", platforms=("linux/amd64",))


@dataclass(frozen=True)
class FakeRegistry:
    """A registry that has some tags, or does not answer."""

    tags: tuple[str, ...] | UnmoorError = ()
    name: str = "ghcr.io/acme/demo"

    def manifest(self, reference: str) -> str | None:
        """Something, if the tag is there."""
        if isinstance(self.tags, UnmoorError):
            raise self.tags
        return "a manifest" if reference in self.tags else None


NO_ENGINE = ToolMissing(
    "no container engine answers at unix:///nowhere",
    next_step=advice.INSTALL_ENGINE().then(advice.LEAVE_OUT_IMAGES()),
)
LOCKED = Denied("this user may not use the engine", next_step=advice.LEAVE_OUT_IMAGES())
COMMIT = "sha-aaaaaaaaaaaa"
SHELL: Any = None


def plan_for(tags: tuple[str, ...] | UnmoorError) -> ImagePlan:
    """The plan of an image with two targets."""
    registry: Any = FakeRegistry(tags)
    targets = (BuildTarget(stage=""), BuildTarget(stage="debug", suffix="-debug"))
    return ImagePlan(
        registries=(registry,), targets=targets, platforms=("linux/amd64",), planner=planner(ImageSettings())
    )


@pytest.mark.parametrize(
    ("engine", "tags", "found"),
    [
        (FakeEngine(), (), Certainty.PROVEN),
        (FakeEngine(NO_ENGINE), (), ToolMissing),
        (FakeEngine(NO_ENGINE), ("latest", "1.0"), ToolMissing),
        (FakeEngine(NO_ENGINE), (COMMIT,), ToolMissing),
        (FakeEngine(NO_ENGINE), (COMMIT, f"{COMMIT}-debug"), Certainty.UNPROVEN),
        (FakeEngine(NO_ENGINE), (f"{COMMIT}-1.0", f"{COMMIT}-1.0-debug"), Certainty.UNPROVEN),
        (FakeEngine(NO_ENGINE), Unknown("no answer"), Certainty.UNPROVEN),
        (FakeEngine(LOCKED), (), Denied),
    ],
)
def test_an_engine_is_looked_for_before_anything_is_built(
    engine: FakeEngine, tags: tuple[str, ...] | UnmoorError, found: Certainty | type[UnmoorError]
) -> None:
    """A run that needs an engine stops without one; images that a registry has may need none, as in a later job."""
    inputs = AccessInputs(engine=engine, plans=(plan_for(tags),), ceiling=Reach.LOCAL)
    if isinstance(found, Certainty):
        assert "engine: " in inputs.look().details(found)
        return
    with pytest.raises(found) as caught:
        inputs.look()
    step = caught.value.next_step
    assert "leave-out-images" in step.ids
    assert "--skip images" in step
    assert "unmoor rehearse --without-images" in step.in_rehearsal()
    assert "--skip" not in step.in_rehearsal()


@pytest.mark.parametrize("system", [MACOS, WINDOWS])
@pytest.mark.parametrize("ceiling", [Reach.LOCAL, Reach.REMOTE, Reach.FINAL])
def test_a_release_with_images_elsewhere_than_on_linux(system: System, ceiling: Reach) -> None:
    """It stops before anything is built, and says where to release it, unless registries have its images already."""
    engine = DockerEngine(shell=SHELL, processes=SHELL, system=system)
    with pytest.raises(ToolMissing) as caught:
        AccessInputs(engine=engine, plans=(plan_for(()),), ceiling=ceiling).look()
    assert caught.value.what == f"images are released on Linux only, and this is {system.title}"
    assert caught.value.next_step.ids == ("release-images-on-linux", "leave-out-images")
    assert caught.value.exit_code == 13

    pushed = (plan_for((COMMIT, f"{COMMIT}-debug")),)
    found = AccessInputs(engine=engine, plans=pushed, ceiling=ceiling).look()
    assert "the registries have images of this commit already" in found.details(Certainty.UNPROVEN)


@pytest.mark.parametrize(("ceiling", "warns"), [(Reach.READS, True), (Reach.LOCAL, False), (Reach.FINAL, False)])
def test_a_plan_says_that_images_need_another_system(ceiling: Reach, *, warns: bool) -> None:
    """The plan shows the stages of images, and warns that a release from here stops; a release says it by stopping."""
    warned = AccessInputs(why_no_images=WINDOWS.why_no_images, ceiling=ceiling).look().warned

    why = "images are released on Linux only, and this is Windows"
    assert warned == ([f"{why}: a release from here stops, unless registries have them already"] if warns else [])


def test_other_problems_are_told_with_a_missing_engine() -> None:
    """All problems are one error, and the login is the more serious one."""
    with pytest.raises(Denied) as caught:
        AccessInputs(engine=FakeEngine(NO_ENGINE), plans=(plan_for(()),), forge=FakeForge(token=False)).look()
    assert "no container engine answers at unix:///nowhere" in str(caught.value)
    assert "--skip images" in caught.value.next_step


@pytest.mark.parametrize(
    ("change", "builds"),
    [
        ({}, True),
        ({"images": ()}, False),
        ({"whole": False}, False),
        ({"ceiling": Reach.READS}, False),
        ({"ceiling": Reach.FINAL}, True),
    ],
)
def test_which_runs_need_an_engine(tmp_path: Path, change: dict[str, Any], builds: bool) -> None:  # noqa: FBT001
    """A job that runs only some stages, such as the tests, may have no engine; neither needs a plan one."""
    request = ReleaseRequest(
        tag="v1.0",
        named=True,
        repository="acme/demo",
        settings=Settings(),
        folder=RunFolder(tmp_path),
        ceiling=Reach.LOCAL,
        images=(ImageSettings(),),
    )
    assert replace(request, **change).builds_images is builds
