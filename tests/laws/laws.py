"""The laws that every stage keeps: how they are observed, and what they say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.git_repos import Repo
from tests.support.local_release import LocalRelease, start_release

from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.files import describe_file
from unmoor.cli import session
from unmoor.cli.run_options import RunOptions, TargetOptions
from unmoor.core.pipeline import AnyStage
from unmoor.core.stage import Check, NotUndone, Publish, Push, Reach, Resumable, StageContext, Undone
from unmoor.deploy.docs.archive import pack
from unmoor.deploy.space.identity import describe
from unmoor.errors import Conflict
from unmoor.products import (
    BuiltDocs,
    Dists,
    Draft,
    File,
    Images,
    ImageSboms,
    Proof,
    Provenance,
    Pushed,
    Release,
    Sboms,
    Signed,
    SignedImages,
    SpaceFile,
    SpaceFiles,
)
from unmoor.provenance.build import build_provenance
from unmoor.util.values import replace

REPLACES = ("space", "service-")
"""Stages whose surface has one version at a time: another one is a former version, which they replace."""
BOUND_TO_DIGESTS = (BuiltDocs, Images, ImageSboms, Proof, Provenance, Sboms, Signed, SignedImages)
"""Products that are found by the digests of what they are about: other bytes are simply not theirs."""


@dataclass
class StageRecord:
    """What one stage did on the way."""

    stage: AnyStage
    plan: str = ""
    plan_changed: list[str] = field(default_factory=list)
    empty: object = None
    made: object = None
    kept: object = None
    found: object = None
    other_bytes: BaseException | None = None
    found_other: object = None
    undone: Undone | NotUndone | None = None
    after_undo: object = None
    remedy: str = ""


@contextmanager
def walk_pipeline(
    folder: Path,
    repo: Repo,
    *,
    registry: bool = False,
    announce: Sequence[str] = (),
    deployments: Sequence[str] = (),
) -> Iterator[dict[str, StageRecord]]:
    """Walk through the pipeline once, over an empty world, and write down what each stage did."""
    started = start_release(folder, repo, registry=registry, announce=announce, deployments=deployments)
    with started as place, Processes() as processes:
        options = RunOptions(
            target=TargetOptions(folder=place.repo.path, tag="v1.0", world=place.world_file),
            ceiling=Reach.FINAL,
            rehearsing=True,
        )
        opened = session.open_session(options, processes)
        opened.request.folder.open()
        seen: dict[str, StageRecord] = {}
        products: dict[str, object] = {}
        for stage in opened.pipeline:
            seen[stage.name] = observe(stage, StageContext(products), place)
            products[stage.name] = seen[stage.name].kept
        yield seen


def observe(stage: AnyStage, context: StageContext, place: LocalRelease) -> StageRecord:
    """Plan, look, make, look, look for other bytes, undo, look, and make again."""
    seen = StageRecord(stage)
    before = file_hashes(place)
    seen.plan = stage.plan()
    seen.plan_changed = sorted(name for name, _ in before ^ file_hashes(place))
    if isinstance(stage, Resumable):
        seen.empty = stage.find(context)
    seen.made = seen.kept = stage.make(context)
    if isinstance(stage, Resumable):
        seen.found = stage.find(context)
        try:
            seen.found_other = stage.find(with_other_bytes(stage, context, seen.made))
        except Conflict as error:
            seen.other_bytes = error
        finally:
            restore(seen.made)
    if isinstance(stage, Push):
        seen.undone = stage.undo(seen.made)
        seen.after_undo = stage.find(context)
        if isinstance(seen.undone, Undone):
            seen.kept = stage.make(context)
    if isinstance(stage, Publish):
        seen.remedy = stage.remedy(seen.made)
    return seen


def with_other_bytes(stage: AnyStage, context: StageContext, made: object) -> StageContext:
    """The same names with other bytes: in what the stage reads, or in what it made."""
    if isinstance(made, Dists):
        made.files[0].path.write_bytes(b"other" + made.files[0].path.read_bytes())
        return context
    products = dict(context.products)
    for output in stage.inputs:
        product = products[output.by]
        if isinstance(product, Dists):
            files = tuple(replace(f, sha256=hashlib.sha256(f.name.encode()).hexdigest()) for f in product.files)
            products[output.by] = others = replace(product, files=files)
            release = next(each for each in products.values() if isinstance(each, Release))
            # What describes the files of this release describes the others.
            products |= {
                name: build_provenance(release, others)
                for name, each in products.items()
                if isinstance(each, Provenance)
            }
        if isinstance(product, BuiltDocs) and product.file is not None:
            products[output.by] = BuiltDocs(file=other_archive(product.file))
        if isinstance(product, SpaceFiles):
            products[output.by] = replace(product, files=tuple(map(other_file, product.files)))
        if isinstance(product, Images):
            products[output.by] = Images(images=tuple(replace(i, id=other_digest(i.id)) for i in product.images))
        if isinstance(product, Pushed):
            products[output.by] = Pushed(
                images=tuple(replace(i, digest=other_digest(i.digest)) for i in product.images)
            )
        if isinstance(product, Draft):
            products[output.by] = replace(product, id=product.id + 1000)
    return StageContext(products)


def other_archive(file: File) -> File:
    """An archive with one other page."""
    page = file.path.with_name("other.html")
    page.write_text("<h1>other</h1>", encoding="utf-8")
    path = file.path.with_name(f"other-{file.name}")
    pack({"index.html": page}, path, 1_700_000_000)
    return describe_file(path)


def other_file(file: SpaceFile) -> SpaceFile:
    """A file of a Space with other content."""
    source = file.source.with_name(f"{file.sha256}-other")
    source.write_bytes(b"# other\n" + file.source.read_bytes())
    return describe(file.path, source)


def other_digest(digest: str) -> str:
    """A digest of something else."""
    return f"sha256:{hashlib.sha256(digest.encode()).hexdigest()}"


def restore(made: object) -> None:
    """Give a built file its own bytes back."""
    if isinstance(made, Dists):
        path = made.files[0].path
        path.write_bytes(path.read_bytes().removeprefix(b"other"))


def file_hashes(place: LocalRelease) -> set[tuple[str, str]]:
    """Every file of the checkout and of the world, by its hash."""
    roots = (place.repo.path, place.world)
    return {
        (str(path), hashlib.sha256(path.read_bytes()).hexdigest())
        for root in roots
        for path in Path(root).rglob("*")
        if path.is_file()
    }


def a_plan_says_something_and_changes_nothing(seen: StageRecord) -> None:
    """A plan is one line. Planning changes no file of the checkout or of the world, and contacts no server."""
    assert len(seen.plan.split()) > 3
    assert "\n" not in seen.plan
    assert seen.plan_changed == []


def an_empty_world_finds_nothing(seen: StageRecord) -> None:
    """Before it was made it is absent."""
    assert seen.empty is None


def what_was_made_is_found_equal(seen: StageRecord) -> None:
    """Right after it was made, the world holds the very same product."""
    if not isinstance(seen.stage, Check):
        assert seen.found == seen.made


def the_same_name_with_other_bytes_is_a_conflict(seen: StageRecord) -> None:
    """Other bytes under the same name are never found, and never taken for absent.

    A proof is simply not theirs, and a surface with one version at a time has a former version.
    """
    if isinstance(seen.stage, Check):
        return
    if isinstance(seen.made, BOUND_TO_DIGESTS) or seen.stage.name.startswith(REPLACES):
        assert seen.found_other is None
        assert seen.other_bytes is None
    else:
        assert isinstance(seen.other_bytes, Conflict)


def undo_takes_back_or_says_why_not(seen: StageRecord) -> None:
    """After undo it is absent, or there was an answer why it stays."""
    match seen.undone:
        case Undone(what):
            assert what
            assert seen.after_undo is None
        case NotUndone(why):
            assert why
            assert seen.after_undo == seen.made
        case None:
            assert not isinstance(seen.stage, Push)


def what_is_final_has_a_remedy(seen: StageRecord) -> None:
    """A final stage says what a person can still do."""
    assert bool(seen.remedy) is isinstance(seen.stage, Publish)


LAWS = (
    a_plan_says_something_and_changes_nothing,
    an_empty_world_finds_nothing,
    what_was_made_is_found_equal,
    the_same_name_with_other_bytes_is_a_conflict,
    undo_takes_back_or_says_why_not,
    what_is_final_has_a_remedy,
)
