"""Whatever is changed, taken away or unreadable of a release is named, and no such release passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.published import (
    PROVENANCE,
    SDIST,
    TAG,
    WHEEL,
    PublishedRelease,
    down,
    edited,
    found,
    manifest_of,
    sha256,
    subjects_of,
    sums_of,
)

from unmoor.ports.index import Publisher
from unmoor.products import Asset
from unmoor.products.signatures import BY_HAND
from unmoor.provenance.statements import publish_statement, release_provenance
from unmoor.util.values import replace
from unmoor.verification.checks import Mark

SUMS, MANIFEST = "SHA256SUMS", "manifest.json"
OTHER = "c" * 40
Change = Callable[[PublishedRelease], object]


def bundle(name: str) -> str:
    """The name of a signature."""
    return f"{name}.sigstore.json"


def test_a_release_as_it_was_published(released: PublishedRelease, tmp_path: Path) -> None:
    """Everything is checked, once, and all of it is ok, by either name of the release."""
    for package in (False, True):
        verdict = released.verify(tmp_path, package=package)
        assert {each.mark for each in verdict.checks} == {Mark.OK}, verdict.checks
        names = [(each.surface, each.name) for each in verdict.checks]
        assert len(set(names)) == len(names)
        lists, files = (SUMS, MANIFEST), (WHEEL, SDIST)
        on_forge = {*lists, *files, *map(bundle, (*lists, *files)), PROVENANCE}
        on_index = {*files, *(f"attestation of {name}" for name in files)}
        assert set(names) == {("github", each) for each in on_forge} | {("pypi", each) for each in on_index}
        assert verdict.workflow == ".github/workflows/release.yml"
        assert (verdict.project, verdict.version, verdict.answer) == ("demo", "1.0", Mark.OK)


def asset(name: str, data: bytes | None) -> Change:
    """Replace an asset, or take it away."""

    def change(it: PublishedRelease) -> None:
        if data is None:
            del it.forge.assets[name]
        else:
            it.forge.assets[name] = data

    return change


def edit(name: str, change: Callable[[Any], None]) -> Change:
    """Change something in a signature on the release."""
    return lambda it: it.forge.assets.update({name: edited(it.forge.assets[name], change)})


def other_payload(document: Any) -> None:
    """Replace what a signature signs by something of the same length."""
    payload = document["dsseEnvelope"]["payload"]
    document["dsseEnvelope"]["payload"] = ("f" if payload[0] != "f" else "e") + payload[1:]


def without_log(document: Any) -> None:
    """Take away what the log says."""
    document["verificationMaterial"]["tlogEntries"] = []


def files(it: PublishedRelease) -> dict[str, bytes]:
    """The two files."""
    return {name: it.index.files[name] for name in (WHEEL, SDIST)}


def signed_anew(it: PublishedRelease, **run: str) -> None:
    """Sign the provenance again, as the same workflow, with something else in it."""
    statement = release_provenance(subjects_of(files(it)), run=replace_identity(it, **run))
    it.forge.assets[PROVENANCE] = it.statement(statement)


def replace_identity(it: PublishedRelease, **run: str) -> Any:
    """The identity that signs, changed."""
    from dataclasses import replace as changed

    return changed(it.signer, **run)


def swap(it: PublishedRelease) -> None:
    """Exchange the signatures of the two files."""
    one, other = bundle(WHEEL), bundle(SDIST)
    it.forge.assets[one], it.forge.assets[other] = it.forge.assets[other], it.forge.assets[one]


def short_provenance(it: PublishedRelease) -> None:
    """Sign a provenance of one file only."""
    it.forge.assets[PROVENANCE] = it.statement(release_provenance(subjects_of(files(it))[:1], run=it.signer))


def another_kind(it: PublishedRelease) -> None:
    """Sign a file's publish attestation in the place of the provenance."""
    it.forge.assets[PROVENANCE] = it.statement(publish_statement(subjects_of(files(it))[0]))


def one_more(it: PublishedRelease) -> None:
    """Add a file to the manifest that nothing else knows, and sign it."""
    data = manifest_of({**files(it), "demo-1.0-py2-none-any.whl": b"x"}, it.forge.commit)
    it.forge.assets[MANIFEST], it.forge.assets[bundle(MANIFEST)] = data, it.file(data)


EVIL = {WHEEL: b"evil"}
WRONG: dict[str, tuple[Change, str, str, str]] = {
    "a file on the release": (asset(WHEEL, b"evil"), "github", WHEEL, "SHA256SUMS says"),
    "a file on the index": (lambda it: it.index.files.update(EVIL), "pypi", WHEEL, "and the release says"),
    "its attestation, then": (lambda it: it.index.files.update(EVIL), "pypi", f"attestation of {WHEEL}", "it signs"),
    "a signature": (edit(bundle(WHEEL), other_payload), "github", bundle(WHEEL), "does not verify"),
    "signatures exchanged": (swap, "github", bundle(WHEEL), "it does not sign demo-1.0-py3"),
    "the manifest": (
        lambda it: asset(MANIFEST, manifest_of(files(it), it.forge.commit, decisions=("x",)))(it),
        "github",
        bundle(MANIFEST),
        "it is of a file with sha256",
    ),
    "the checksums": (
        lambda it: asset(SUMS, sums_of(files(it) | EVIL))(it),
        "github",
        SUMS,
        "not the same as manifest.json: demo-1.0-py3",
    ),
    "their signature, then": (
        lambda it: asset(SUMS, sums_of(files(it) | EVIL))(it),
        "github",
        bundle(SUMS),
        "it is of a file",
    ),
    "a provenance of another commit": (
        lambda it: signed_anew(it, commit=OTHER),
        "github",
        PROVENANCE,
        f"says that commit {OTHER} was built",
    ),
    "a provenance of fewer files": (short_provenance, "github", PROVENANCE, "it does not sign demo-1.0.tar.gz"),
    "another statement as provenance": (another_kind, "github", PROVENANCE, "it is of the type"),
    "a new repository of the same name": (
        lambda it: setattr(it.forge, "number", 99),
        "github",
        PROVENANCE,
        "the repository number is",
    ),
    "a moved tag": (lambda it: setattr(it.forge, "commit", OTHER), "github", MANIFEST, "its commit is"),
    "a moved tag, signed": (
        lambda it: setattr(it.forge, "commit", OTHER),
        "pypi",
        f"attestation of {SDIST}",
        "the commit is",
    ),
    "a file that no list names": (
        asset("demo-1.0-cp39-abi3-win32.whl", b"x"),
        "github",
        "demo-1.0-cp39-abi3-win32.whl",
        "names this file",
    ),
    "such a file on the index": (
        lambda it: it.index.files.update({"demo-1.0.zip": b"x"}),
        "pypi",
        "demo-1.0.zip",
        "no list of the release names",
    ),
    "the attestation of another file": (
        lambda it: it.index.bundles.update({WHEEL: it.index.bundles[SDIST]}),
        "pypi",
        f"attestation of {WHEEL}",
        "it does not sign",
    ),
    "a manifest of another tag": (
        lambda it: asset(MANIFEST, manifest_of(files(it), it.forge.commit, tag="v2"))(it),
        "github",
        MANIFEST,
        "its tag is v2, expected v1.0",
    ),
    "a manifest of more": (one_more, "github", PROVENANCE, "it does not sign demo-1.0-py2"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_changed_is_wrong(released: PublishedRelease, tmp_path: Path, case: str) -> None:
    """Bytes, lists, signatures and signers: each change is found where it is, and the release is wrong."""
    change, surface, name, note = WRONG[case]
    change(released)
    verdict = released.verify(tmp_path)
    check = found(verdict, surface, name)
    assert (check.mark, verdict.answer) == (Mark.WRONG, Mark.WRONG), check
    assert note in check.note


MISSING: dict[str, tuple[Change, str, str, str]] = {
    "a file": (asset(WHEEL, None), "github", WHEEL, "names it"),
    "a signature": (asset(bundle(WHEEL), None), "github", bundle(WHEEL), "a signed release has this signature"),
    "the checksums": (asset(SUMS, None), "github", SUMS, "no checksums"),
    "the provenance": (asset(PROVENANCE, None), "github", PROVENANCE, "a signed release has"),
    "the manifest": (asset(MANIFEST, None), "github", MANIFEST, "no manifest says"),
    "the release": (lambda it: setattr(it.forge, "gone", True), "github", TAG, "no public release"),
    "the tag": (lambda it: setattr(it.forge, "tag", "v0"), "github", TAG, "has no such tag"),
    "a file on the index": (lambda it: it.index.files.pop(WHEEL), "pypi", WHEEL, "does not have it"),
    "an attestation": (
        lambda it: it.index.bundles.pop(WHEEL),
        "pypi",
        f"attestation of {WHEEL}",
        "no attestation of it",
    ),
}


@pytest.mark.parametrize("case", MISSING)
def test_what_is_not_there_is_missing(released: PublishedRelease, tmp_path: Path, case: str) -> None:
    """That is certain, so it is neither wrong nor unknown; and it does not pass."""
    change, surface, name, note = MISSING[case]
    change(released)
    verdict = released.verify(tmp_path)
    check = found(verdict, surface, name)
    assert (check.mark, verdict.answer) == (Mark.MISSING, Mark.MISSING), verdict.checks
    assert note in check.note


def crowd(it: PublishedRelease) -> None:
    """List more files than any release has."""
    it.index.files |= {f"demo-1.0-cp{number}-abi3-win32.whl": b"" for number in range(2_001)}


UNKNOWN: dict[str, tuple[Change, str, str, str]] = {
    "too many files": (crowd, "pypi", "demo 1.0", "lists 2003 files"),
    "too many attestations": (
        lambda it: it.index.bundles.update({WHEEL: it.index.bundles[WHEEL] * 33}),
        "pypi",
        f"attestation of {WHEEL}",
        "33 attestations, more than are checked",
    ),
    "the forge is down": (lambda it: setattr(it.forge, "fails", down()), "github", "acme/demo", "answered 502"),
    "the index is down": (lambda it: setattr(it.index, "fails", down()), "pypi", "demo 1.0", "answered 502"),
    "the log is missing": (edit(bundle(WHEEL), without_log), "github", bundle(WHEEL), "cannot be read"),
    "a signature is garbage": (asset(bundle(SDIST), b"<html>"), "github", bundle(SDIST), "cannot be read"),
    "a signature is huge": (
        lambda it: it.forge.said.update({bundle(WHEEL): 99_000_000}),
        "github",
        bundle(WHEEL),
        "more than such a file may have",
    ),
    "the manifest is garbage": (asset(MANIFEST, b"\xff\xfe"), "github", MANIFEST, "not a manifest"),
    "an attestation is garbage": (
        lambda it: it.index.bundles.update({WHEEL: (b"{}",)}),
        "pypi",
        f"attestation of {WHEEL}",
        "cannot be read",
    ),
    "the repository has no number": (
        lambda it: setattr(it.forge, "number", 0),
        "github",
        bundle(WHEEL),
        "the number of the repository could not be read",
    ),
    "a signature of nothing": (
        lambda it: asset(bundle("other.bin"), it.forge.assets[bundle(WHEEL)])(it),
        "github",
        bundle("other.bin"),
        "not on the release",
    ),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_cannot_be_read_is_unknown(released: PublishedRelease, tmp_path: Path, case: str) -> None:
    """It may be right or wrong, so it never passes, and is not called missing."""
    change, surface, name, note = UNKNOWN[case]
    change(released)
    verdict = released.verify(tmp_path)
    check = found(verdict, surface, name)
    assert (check.mark, verdict.answer) == (Mark.UNKNOWN, Mark.UNKNOWN), verdict.checks
    assert note in check.note


def test_garbage_in_the_checksums(released: PublishedRelease, tmp_path: Path) -> None:
    """Lists that cannot be read are unknown; their signature, which is of other bytes, is wrong."""
    for data in (b"", b"<html>", b"0123  x\n", sums_of({"a": b"", "b": b""}).replace(b"  b", b"  a")):
        released.forge.assets[SUMS] = data
        verdict = released.verify(tmp_path)
        assert found(verdict, "github", SUMS).mark is Mark.UNKNOWN
        assert found(verdict, "github", bundle(SUMS)).mark is Mark.WRONG


def test_other_keys_are_trusted(released: PublishedRelease, tmp_path: Path) -> None:
    """Signatures of one Sigstore are wrong for somebody who trusts another."""
    from unmoor.rehearsal.sigstore import trust
    from unmoor.rehearsal.sigstore.authority import Authority

    path = tmp_path / "trust.json"
    trust.write(path, Authority.open(tmp_path / "keys.json"), base="http://127.0.0.1:1", issuer="http://127.0.0.1:1")
    verdict = released.verify(tmp_path / "files", trust=path)
    assert found(verdict, "github", bundle(WHEEL)).mark is Mark.WRONG
    assert found(verdict, "github", WHEEL).mark is Mark.OK


@pytest.mark.parametrize("was_signed", [False, True])
def test_a_release_without_signatures(released: PublishedRelease, tmp_path: Path, *, was_signed: bool) -> None:
    """It is one finding, not one a file; that an earlier release was signed is said."""
    released.forge.assets = {n: data for n, data in released.forge.assets.items() if not n.endswith(".sigstore.json")}
    released.index.bundles.clear()
    released.forge.earlier = {"v0.9": (), "v0.8": (bundle("x"),)} if was_signed else {"v0.9": ()}
    verdict = released.verify(tmp_path)
    assert (verdict.answer, verdict.earlier) == (Mark.MISSING, "v0.8" if was_signed else "")
    assert found(verdict, "github", "signatures").note == "nothing on the release is signed"
    assert not any(each.name.endswith(".sigstore.json") for each in verdict.checks)


def test_a_release_by_hand_says_so(released: PublishedRelease, tmp_path: Path) -> None:
    """The manifest says that no workflow made the release."""
    data = manifest_of(files(released), released.forge.commit, decisions=(BY_HAND,))
    released.forge.assets = {**files(released), SUMS: released.forge.assets[SUMS], MANIFEST: data}
    assert found(released.verify(tmp_path), "github", "signatures").note == BY_HAND


def test_names_are_cleaned(released: PublishedRelease, tmp_path: Path) -> None:
    """Names that a server makes up reach neither the terminal nor a path as they are."""
    for name in ("../../evil-1.0.tar.gz", "\x1b[2Jdemo-1.0.tar.gz", "a/b-1.0-py3-none-any.whl", "..sigstore.json"):
        released.forge.assets[name] = b"x"
    verdict = released.verify(tmp_path / "files")
    assert verdict.answer is Mark.WRONG
    assert "\x1b" not in repr([(each.name, each.note) for each in verdict.checks]).replace("\\x1b", "\x1b")
    assert not list(tmp_path.rglob("*evil*"))


OURS = Publisher(kind="GitHub", repository="acme/demo", workflow="release.yml")
PUBLISHERS: dict[str, tuple[Publisher, Mark, str]] = {
    "the one that signed": (OURS, Mark.OK, "signed by acme/demo/.github/workflows/release.yml"),
    "another workflow": (replace(OURS, workflow="ci.yml"), Mark.WRONG, "the workflow is"),
    "another service": (Publisher(kind="GitLab", repository="acme/demo"), Mark.UNKNOWN, "are not compared"),
}


@pytest.mark.parametrize("case", PUBLISHERS)
def test_a_package_of_another_tool(released: PublishedRelease, tmp_path: Path, case: str) -> None:
    """It is judged by what the index has, and by the publisher that the index names."""
    released.index.publisher, mark, note = PUBLISHERS[case]
    released.index.addresses = {"Source": "https://github.com/acme/demo"}
    for name in [each for each in released.forge.assets if each.startswith(MANIFEST)]:
        del released.forge.assets[name]
    verdict = released.verify(tmp_path, package=True)
    check = found(verdict, "pypi", f"attestation of {WHEEL}")
    assert (check.mark, verdict.answer) == (mark, mark), verdict.checks
    assert note in check.note
    assert "not released by unmoor: checked is what pypi has" in verdict.notes


def test_a_package_without_attestations(released: PublishedRelease, tmp_path: Path) -> None:
    """The bytes are what the index lists, and nothing is known of who made them; earlier versions had attestations."""
    released.index.bundles.clear()
    released.index.earlier = {"0.9": False, "0.8": True}
    released.index.addresses = {"Docs": "https://example.org/acme/demo"}
    verdict = released.verify(tmp_path, package=True)
    assert (verdict.answer, verdict.earlier) == (Mark.MISSING, "0.8")
    assert found(verdict, "pypi", WHEEL).mark is Mark.OK
    released.index.files.clear()
    assert found(released.verify(tmp_path, package=True), "pypi", "demo 1.0").mark is Mark.MISSING


def test_bills_of_materials(released: PublishedRelease, tmp_path: Path) -> None:
    """One beside a file has to be signed, for that file, and to be what was signed."""
    name = f"{WHEEL}.cdx.json"
    bom = {"bomFormat": "CycloneDX", "components": [{"name": "x"}]}
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": WHEEL, "digest": {"sha256": sha256(released.index.files[WHEEL])}}],
        "predicateType": "https://cyclonedx.org/bom",
        "predicate": bom,
    }
    released.forge.assets[name] = json.dumps(bom).encode()
    assert found(released.verify(tmp_path), "github", bundle(name)).mark is Mark.MISSING
    released.forge.assets[bundle(name)] = released.statement(json.dumps(statement).encode())
    assert released.verify(tmp_path).answer is Mark.OK
    released.forge.assets[name] = json.dumps({**bom, "components": []}).encode()
    assert found(released.verify(tmp_path), "github", bundle(name)).mark is Mark.WRONG
    released.forge.assets[bundle(name)] = released.forge.assets[bundle(WHEEL)]
    assert "of the type" in found(released.verify(tmp_path), "github", bundle(name)).note


def test_a_bill_of_materials_that_the_manifest_lists(released: PublishedRelease, tmp_path: Path) -> None:
    """It has to be there with its signature, and to be the one that is listed."""
    name = f"{WHEEL}.cdx.json"
    listed = Asset(name=name, sha256=sha256(b"{}"), size=2)
    data = manifest_of(files(released), released.forge.commit, sboms=(listed,))
    released.forge.assets |= {MANIFEST: data, bundle(MANIFEST): released.file(data)}
    verdict = released.verify(tmp_path)
    for each in (name, bundle(name)):
        assert found(verdict, "github", each).mark is Mark.MISSING
    assert found(verdict, "github", SUMS).mark is Mark.OK
    assert not [each for each in verdict.checks if each.surface == "pypi" and each.mark is not Mark.OK]
    released.forge.assets[name] = b"{ }"
    assert "manifest.json says" in found(released.verify(tmp_path), "github", name).note


def test_other_documents_and_assets(released: PublishedRelease, tmp_path: Path) -> None:
    """The record of images has to be signed in a signed release; what is not signed and not listed is named."""
    released.forge.assets |= {"images.json": b"{}", "demo.pdf": b"x"}
    verdict = released.verify(tmp_path)
    assert found(verdict, "github", bundle("images.json")).mark is Mark.MISSING
    assert "which digests they have" in found(verdict, "github", "pushed.json").note
    assert verdict.notes == ("not checked: demo.pdf, images.json",)
    released.forge.assets |= {bundle("images.json"): released.file(b"{}"), bundle("demo.pdf"): released.file(b"y")}
    verdict = released.verify(tmp_path)
    assert found(verdict, "github", bundle("images.json")).mark is Mark.OK
    assert found(verdict, "github", bundle("demo.pdf")).mark is Mark.WRONG
