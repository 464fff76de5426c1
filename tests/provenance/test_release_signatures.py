"""Which signatures of a manifest count: those that the release workflow made for this tag at this commit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Self, cast

import pytest
from tests.support.signers import SigningJob

from unmoor.adapters.sigstore import Sigstore
from unmoor.adapters.sigstore.trust import Trust
from unmoor.adapters.sigstore.verifier import SigstoreVerifier
from unmoor.advice import NextStep
from unmoor.errors import ConfigError, Denied, Unknown, UnmoorError
from unmoor.ports.forge import ForgeRepository
from unmoor.ports.index import Credential
from unmoor.ports.signer import MAX_BUNDLE, UnreadableSignature
from unmoor.ports.world import Login
from unmoor.provenance.release_signatures import ReleaseSignatures
from unmoor.rehearsal import local
from unmoor.util.secret import Secret
from unmoor.util.values import replace

COMMIT, OTHER = "a" * 40, "b" * 40
DATA = b'{"schema": 2}\n'
FOLDER = ".github/workflows"
PATH, SECOND = f"{FOLDER}/release.yml", f"{FOLDER}/docs.yml"
CAN_SIGN = b"on: push\njobs: {publish: {permissions: {id-token: write}}}"
NOBODY = Login(username="", secret=Secret(""), origin="nobody")
DOWN = Unknown("it is on fire", next_step=NextStep("wait"))


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of a run of the release workflow for the tag, with some of them changed."""
    workflow = f"acme/demo/{PATH}@refs/tags/v1.0"
    return {"ref": "refs/tags/v1.0", "sha": COMMIT, "workflow_ref": workflow, "job_workflow_ref": workflow} | changed


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SigningJob]:
    """A job of the release workflow, in one world for all tests here."""
    folder = tmp_path_factory.mktemp("world")
    with local.start(folder, repository="acme/demo", checkout=None, signing=True) as world:
        yield SigningJob(world=world)


@pytest.fixture(scope="module")
def good(job: SigningJob) -> bytes:
    """The signature of the release workflow."""
    return signature(job)


def signature(job: SigningJob, data: bytes = DATA, **changed: Any) -> bytes:
    """A signature of these bytes by a run with these claims."""
    with job.claims(**claims(**changed)):
        return job.sigstore().signer.sign_file(sha256(data).hexdigest())


@dataclass
class FakeForge:
    """A forge that knows the repository's number, or fails."""

    number: str | UnmoorError = "2"
    address: str = "https://forge.example/acme/demo"
    asked: int = 0

    def repository(self) -> ForgeRepository:
        """Return the repository, or raise."""
        self.asked += 1
        if isinstance(self.number, UnmoorError):
            raise self.number
        return ForgeRepository(full_name="acme/demo", private=False, archived=False, can_push=True, id=self.number)


@dataclass
class FakeGit:
    """The files of the tagged commit; this checkout is of a package in a folder of the repository."""

    tree: Mapping[str, bytes] = field(default_factory=lambda: {PATH: CAN_SIGN, "README": b""})
    tagged: Mapping[str, str] = field(default_factory=lambda: {"v1.0": COMMIT})
    folder: str = "packages/one"

    def tags(self) -> Mapping[str, str]:
        """Return the tags."""
        return self.tagged

    def at(self, path: str) -> Self:
        """Return the checkout as seen from another folder."""
        return replace(self, folder=path)

    def files(self, commit: str) -> tuple[str, ...]:
        """Return the paths at the commit."""
        return tuple(self.tree) if (commit, self.folder) == (COMMIT, "") else ()

    def read(self, commit: str, path: str) -> bytes | None:
        """Return a file."""
        return self.tree[path] if (commit, self.folder) == (COMMIT, "") else None


def judge(job: SigningJob, *, identity: bool, signing: Any = None, **changed: Any) -> ReleaseSignatures:
    """What judges signatures, in the job itself or on a machine without an identity."""
    found: dict[str, Any] = {"forge": FakeForge(), "git": FakeGit(), "workflow": ""} | changed
    signing = signing or (job.sigstore() if identity else job.sigstore(token=NOBODY))
    return ReleaseSignatures(tag="v1.0", repository="acme/Demo", signing=signing, **found)


@pytest.mark.parametrize("identity", [True, False], ids=["in the job", "on a laptop"])
def test_the_release_workflow_is_believed(job: SigningJob, good: bytes, *, identity: bool) -> None:
    """In its own job the ID token says who that is, elsewhere the forge and the workflow files; each is asked once."""
    forge = FakeForge()
    judging = judge(job, identity=identity, forge=forge)
    with job.claims(**claims()):
        assert [judging.fault(DATA, good) for _ in range(2)] == ["", ""]
    assert forge.asked == (0 if identity else 1)


@pytest.mark.parametrize("identity", [True, False], ids=["in the job", "on a laptop"])
@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"job_workflow_ref": f"acme/demo/{SECOND}@refs/tags/v1.0"}, f"the workflow is {SECOND}, expected {PATH}"),
        ({"repository_id": "3"}, "the repository number is 3, expected 2"),
        (
            {"ref": "refs/tags/v0.9", "job_workflow_ref": f"acme/demo/{PATH}@refs/tags/v0.9"},
            "the ref is refs/tags/v0.9, expected refs/tags/v1.0",
        ),
        ({"ref": "refs/heads/main", "job_workflow_ref": f"acme/demo/{PATH}@refs/heads/main"}, "refs/heads/main"),
        ({"sha": OTHER}, f"the commit is {OTHER}, expected {COMMIT}"),
    ],
    ids=["another workflow", "a fork", "another tag", "a branch", "another commit"],
)
def test_every_other_signer_is_named(job: SigningJob, changed: dict[str, Any], says: str, *, identity: bool) -> None:
    """A signature that verifies counts for one repository, workflow, tag and commit."""
    planted = signature(job, **changed)
    with job.claims(**claims()):
        assert says in judge(job, identity=identity).fault(DATA, planted)


def test_other_bytes_are_not_signed(job: SigningJob, good: bytes) -> None:
    """A signature of another manifest says nothing about this one."""
    assert "does not verify" in judge(job, identity=False).fault(DATA + b" ", good)


def test_an_entry_of_the_log_is_needed(job: SigningJob, good: bytes) -> None:
    """A signature that no log recorded may have been made at any time, also after its certificate expired."""
    document = json.loads(good)
    entry = document["verificationMaterial"]["tlogEntries"][0]
    late = entry | {"integratedTime": str(int(entry["integratedTime"]) + 10_000)}
    for entries in ([], [late], [{**entry, "logIndex": str(int(entry["logIndex"]) + 1)}]):
        document["verificationMaterial"]["tlogEntries"] = entries
        try:
            fault = judge(job, identity=False).fault(DATA, json.dumps(document).encode())
        except UnreadableSignature as error:
            fault = error.what
        assert fault


@pytest.mark.parametrize(
    "bundle", [b"", b"{}", b"\xff", b"[" * 100_000, b"x" * (MAX_BUNDLE + 1)], ids=["0", "1", "2", "3", "4"]
)
def test_garbage_is_told_from_what_is_unknown(job: SigningJob, bundle: bytes) -> None:
    """What is no signature is at fault itself, even if the trusted keys cannot be had and nobody can be asked."""
    sigstore = Sigstore(signer=job.sigstore().signer, verifier=SigstoreVerifier(trust=Trust(path="/nowhere/trust")))
    with pytest.raises(UnreadableSignature):
        judge(job, identity=False, signing=sigstore, forge=FakeForge(DOWN)).fault(DATA, bundle)


def test_what_cannot_be_known(job: SigningJob, good: bytes) -> None:
    """No trusted keys, a silent forge, one without numbers: each is an error and no answer, and is asked again."""
    gone = Sigstore(
        signer=job.sigstore(token=NOBODY).signer, verifier=SigstoreVerifier(trust=Trust(path="/nowhere/trust"))
    )
    with pytest.raises(ConfigError, match="there is no such file"):
        judge(job, identity=False, signing=gone).fault(DATA, good)
    forge = FakeForge(DOWN)
    judging = judge(job, identity=False, forge=forge)
    for number, error in ((DOWN, "on fire"), (Denied("no login", next_step=NextStep("x")), "no login"), ("", "number")):
        forge.number = number
        with pytest.raises((Unknown, Denied), match=error):
            judging.fault(DATA, good)
    forge.number = "2"
    assert judging.fault(DATA, good) == ""


@dataclass
class Elsewhere:
    """Signs for another repository: this job releases what is not its own."""

    job: SigningJob

    def credential(self) -> Credential:
        """There is one."""
        return Credential(present=True, origin="a test")

    def identity(self) -> object:
        """A run of another repository, with a workflow of the same name."""
        return replace(self.job.sigstore().signer.identity(), repository="evil/demo", repository_id="3")


def test_a_run_of_another_repository_decides_nothing(job: SigningJob, good: bytes) -> None:
    """Then the forge says the number and the commit the workflow, as on a machine without an identity."""
    with job.claims(**claims()):
        signing = Sigstore(signer=cast("Any", Elsewhere(job)), verifier=job.sigstore().verifier)
        assert judge(job, identity=True, signing=signing).fault(DATA, good) == ""
        strange = signature(job, repository_id="3")
        assert "number is 3, expected 2" in judge(job, identity=True, signing=signing).fault(DATA, strange)


@pytest.mark.parametrize(
    ("git", "workflow", "says"),
    [
        (FakeGit(tree={PATH: CAN_SIGN, SECOND: b"on: workflow_dispatch\njobs: {}"}), "", []),
        (FakeGit(tree={PATH: CAN_SIGN, SECOND: CAN_SIGN}), PATH, []),
        (FakeGit(tree={}), PATH, []),
        (
            FakeGit(tree={PATH: CAN_SIGN, SECOND: CAN_SIGN}),
            "",
            ["start several", f"UNMOOR_RELEASE_WORKFLOW={SECOND} or UNMOOR_RELEASE_WORKFLOW={PATH};"],
        ),
        (FakeGit(tree={PATH: CAN_SIGN, SECOND: b"["}), "", [f"not readable: {SECOND}"]),
        (FakeGit(tree={f"{FOLDER}/a b.yml": b"["}), "", [f"UNMOOR_RELEASE_WORKFLOW='{FOLDER}/a b.yml'"]),
        (FakeGit(tree={}), "", ["no workflow at its commit", f"UNMOOR_RELEASE_WORKFLOW={FOLDER}/FILE"]),
        (FakeGit(tree={SECOND: CAN_SIGN}), "", [f"the workflow is {PATH}, expected {SECOND}"]),
        (FakeGit(), SECOND, [f"the workflow is {PATH}, expected {SECOND}"]),
        (FakeGit(tagged={"v0.9": COMMIT}), "", ["this checkout has no tag v1.0"]),
        (FakeGit(tagged={"v1.0": OTHER}), PATH, [f"the commit is {COMMIT}, expected {OTHER}"]),
    ],
    ids=[
        "one",
        "named",
        "named, none",
        "two",
        "unread",
        "a blank",
        "none",
        "not it",
        "another named",
        "no tag",
        "moved",
    ],
)
def test_which_workflow_releases(job: SigningJob, good: bytes, git: FakeGit, workflow: str, says: list[str]) -> None:
    """The setting says it, else the commit; what is ambiguous is not believed, and the message has the way out."""
    fault = judge(job, identity=False, git=git, workflow=workflow).fault(DATA, good)
    assert bool(fault) is bool(says)
    assert all(each in fault for each in says), fault


def test_the_setting_goes_before_the_identity(job: SigningJob, good: bytes) -> None:
    """A job of another workflow, such as one that only looks, believes what the named workflow signed."""
    judging: Callable[[str], str] = lambda named: judge(job, identity=True, workflow=named).fault(DATA, good)  # noqa: E731
    with job.claims(**claims(job_workflow_ref=f"acme/demo/{SECOND}@refs/heads/main", ref="refs/heads/main", sha=OTHER)):
        assert judging("") == f"the workflow is {PATH}, expected {SECOND}"
        assert judging(PATH) == ""
