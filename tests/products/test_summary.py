"""Every product has a summary of one line."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import pytest

from unmoor import stages
from unmoor.core.stage import Product, Stage
from unmoor.products import (
    Access,
    Announced,
    AnnouncedTarget,
    AnnouncedTo,
    Asset,
    BranchImage,
    BuiltDocs,
    Certainty,
    CheckedDists,
    DeployedSpace,
    Dists,
    Draft,
    File,
    Finding,
    Image,
    Images,
    ImageSboms,
    LeftOutFile,
    MovedTag,
    MovedTags,
    Notes,
    Proof,
    Provenance,
    PublishedRelease,
    Pushed,
    PushedBranch,
    PushedImage,
    Release,
    Result,
    Sboms,
    Scanned,
    Signed,
    SignedImage,
    SignedImages,
    SpaceFile,
    SpaceFiles,
    Subject,
    SumsSignature,
    Uploaded,
    Verdict,
    Verified,
    VerifiedItem,
)
from unmoor.products.deployment import CheckedDocs, CheckedServices, Deployed
from unmoor.util.values import replace

DIGEST = "0" * 64
WHEEL = Subject(name="pkg-1.0-py3-none-any.whl", sha256=DIGEST)
SBOM = File(name="pkg-1.0-py3-none-any.whl.cdx.json", sha256=DIGEST, size=10, path=Path("s"))
SUMS_SIGNATURE = File(name="SHA256SUMS.sig", sha256=DIGEST, size=10, path=Path("SHA256SUMS.sig"))
URL = "https://forge.invalid/\x1b[31mv1.0"


def release(*, prerelease: bool, highest: bool) -> Release:
    """A release of pkg 1.0."""
    return Release(
        repository="owner/pkg",
        project="pkg",
        tag="v1.0",
        version="1.0",
        commit="a" * 40,
        date=0,
        prerelease=prerelease,
        highest=highest,
    )


def finding(certainty: Certainty) -> Finding:
    """A finding on one surface."""
    return Finding(surface="pypi", certainty=certainty, detail="")


def published(*, prerelease: bool, latest: bool) -> PublishedRelease:
    """A published release."""
    return PublishedRelease(url=URL, tag="v1.0", prerelease=prerelease, latest=latest)


def moved(tag: str) -> MovedTag:
    """A moved tag on one registry."""
    return MovedTag(name="ghcr.io/owner/pkg", tag=tag, digest=f"sha256:{DIGEST}")


SUMMARIES: list[tuple[Product, str]] = [
    (release(prerelease=True, highest=False), "pkg 1.0 at aaaaaaaaaaaa (prerelease)"),
    (AnnouncedTo(targets=("chat", "ma\x1b[31mil")), "chat, ma il"),
    (Announced(targets=(AnnouncedTarget(target="chat", event="released", result="sent"),)), "chat: released sent"),
    (Announced(), "no message"),
    (Scanned(files=("a", "b"), packages=3), "2 files, 3 packages: nothing found"),
    (Scanned(), "nothing to scan: nothing found"),
    (Sboms(files=(SBOM,)), "1 SBOM"),
    (ImageSboms(why_not="syft is not installed"), "0 SBOMs of images: syft is not installed"),
    (Sboms(why_not="uv \x1b[31mfailed"), "0 SBOMs: uv failed"),
    (Provenance(statement=b"{}", subjects=(WHEEL,), tools=3), "1 file, made with 3 tools"),
    (SumsSignature(key="ssh:~/k\x1b[31m", file=SUMS_SIGNATURE), "SHA256SUMS.sig by ssh:~/k"),
    (SumsSignature(key="ssh:~/k", why_not="no\nkey"), "no key"),
    (
        SpaceFiles(
            commit="a" * 40,
            files=(SpaceFile(path="app.py", size=1, blob="", sha256=DIGEST, source=Path()),),
            left_out=(LeftOutFile(path="b\x1b[31m.py", why="it is empty"),),
        ),
        "1 file of aaaaaaaaaaaa, 1 left out",
    ),
    (
        DeployedSpace(
            what="space", address="https://hub.invalid/a", identity=DIGEST, counts=(("files", 2),), title="t"
        ),
        "https://hub.invalid/a, 000000000000000000…, 2 files",
    ),
    (
        DeployedSpace(what="space", address="https://hub.invalid/a", identity="", left_out=("1.0 is old",), title="t"),
        "left as it is: 1.0 is old",
    ),
    (
        BuiltDocs(file=File(name="p-1.0-docs.tar.gz", path=Path(), sha256=DIGEST, size=2_000)),
        "p-1.0-docs.tar.gz (2.0 kB)",
    ),
    (BuiltDocs(why_not="a\x1b[31m warning"), "no documentation: a warning"),
    (release(prerelease=False, highest=True), "pkg 1.0 at aaaaaaaaaaaa (final, the highest)"),
    (release(prerelease=False, highest=False), "pkg 1.0 at aaaaaaaaaaaa (final)"),
    (
        Access(findings=(finding(Certainty.PROVEN), finding(Certainty.UNPROVEN))),
        "1 proven, 1 only provable by using them",
    ),
    (
        Access(findings=(replace(finding(Certainty.PROVEN), surface="pypi", held=("a.whl", "b", "c", "d")),)),
        "1 proven, 0 only provable by using them; pypi holds a.whl, b, c and 1 more already",
    ),
    (Notes(body="one\ntwo\n", full="", source="CHANGELOG.md\x1b[0m"), "2 lines from CHANGELOG.md"),
    (
        Dists(
            files=tuple(File(name=name, sha256=DIGEST, size=1500, path=Path(name)) for name in ("a.whl", "a.tar.gz"))
        ),
        "2 files, 3.0 kB",
    ),
    (CheckedDists(subjects=(WHEEL,)), "1 file fit for the index"),
    (
        Proof(name="prove", subjects=(WHEEL,), results=(Result(name="import", verdict=Verdict.PASSED),)),
        "1 check passed",
    ),
    (
        Proof(
            name="prove",
            subjects=(WHEEL,),
            results=(
                Result(name="import", verdict=Verdict.PASSED),
                Result(name="its tests", verdict=Verdict.PASSED, detail="pytest", counts="1,204 passed, 3 skipped"),
            ),
        ),
        "2 checks passed; tests: 1,204 passed, 3 skipped",
    ),
    (
        Proof(name="prove", subjects=(WHEEL,), results=(Result(name="its tests", verdict=Verdict.NOT_TESTED),)),
        "0 checks passed; not tested: its tests",
    ),
    (
        Images(
            images=(
                Image(name="ghcr.io/owner/pkg", target="", platform="linux/amd64", id="", size=0),
                Image(name="ghcr.io/owner/pkg", target="dev", platform="linux/arm64", id="", size=2_000_000),
            )
        ),
        "image for linux/amd64, dev for linux/arm64 (2.0 MB)",
    ),
    (
        Pushed(
            images=(PushedImage(name="ghcr.io/owner/pkg", target="", tag="sha-abc", digest="sha256:0", platforms=()),)
        ),
        "ghcr.io/owner/pkg:sha-abc",
    ),
    (
        PushedBranch(images=(BranchImage(name="ghcr.io/owner/pkg", target="", tags=("main",), digest=DIGEST),)),
        f"ghcr.io/owner/pkg: main at {DIGEST}",
    ),
    (MovedTags(pointers=(moved("1.0"), moved("latest"))), "2 tags on ghcr.io/owner/pkg"),
    (MovedTags(pointers=(moved("1.0"),), left=("latest",)), "1 tag on ghcr.io/owner/pkg; 1 tag left where they were"),
    (
        Draft(id=1, tag="v1.0", url=URL, assets=(Asset(name="a.whl", sha256=DIGEST, size=1),)),
        "1 asset at https://forge.invalid/ v1.0",
    ),
    (Signed(bundles=(File(name="a.whl.sigstore.json", sha256=DIGEST, size=1, path=Path("a")),)), "1 signature"),
    (Signed(why_not="the repository is\x1b[31m private"), "0 signatures: the repository is private"),
    (
        SignedImages(images=(SignedImage(name="ghcr.io/a/b", digest=DIGEST, referrer=DIGEST),), why_not="x: refused"),
        "1 signed image: x: refused",
    ),
    (CheckedDocs(branches=("https://forge.invalid/a.git (gh-pages)",)), "https://forge.invalid/a.git (gh-pages)"),
    (CheckedServices(services=("web", "api")), "web, api"),
    (
        Deployed(what="service web", address="https://web.invalid/", identity=f"sha256:{DIGEST}"),
        "https://web.invalid/, sha256:00000000000…",
    ),
    (Deployed(what="service web", address="", identity="", left_out=("no haproxy",)), "left as it is: no haproxy"),
    (Uploaded(index="pypi", files=(WHEEL, WHEEL)), "2 files on pypi"),
    (published(prerelease=True, latest=False), "https://forge.invalid/ v1.0 (prerelease)"),
    (published(prerelease=False, latest=True), "https://forge.invalid/ v1.0 (latest)"),
    (published(prerelease=False, latest=False), "https://forge.invalid/ v1.0 (not latest)"),
    (Verified(held=(VerifiedItem(surface="pypi", what="a.whl", digest=DIGEST),)), "1 item read back"),
    (
        Verified(held=(VerifiedItem(surface="pypi", what="a.whl", digest=DIGEST, pending="stale"),)),
        "1 item read back, 1 still pending",
    ),
]


@pytest.mark.parametrize(("product", "summary"), SUMMARIES, ids=lambda each: type(each).__name__)
def test_a_product_has_a_summary(product: Product, summary: str) -> None:
    """The summary is one line without control characters."""
    assert product.summary == summary


def test_every_product_of_a_stage_has_a_summary() -> None:
    """The table has every product that a stage gives."""
    modules = [import_module(f"unmoor.stages.{each.name}") for each in pkgutil.iter_modules(stages.__path__)]
    found = [each for module in modules for _, each in inspect.getmembers(module, inspect.isclass)]
    given = {get_type_hints(each.make)["return"] for each in found if issubclass(each, Stage) and "make" in vars(each)}
    given = {each for each in given if isinstance(each, type)}
    assert given == {type(product) for product, _ in SUMMARIES}
