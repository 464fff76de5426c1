"""What is signed: in-toto statements (v1), as JSON. The same input gives the same bytes.

Sources: PEP 740 and PyPI's "publish" attestation; SLSA provenance v1; the predicate that GitHub's action ``attest``
writes (``packages/attest/src/provenance.ts`` in ``actions/toolkit``), whose shape the provenance has, so that policies
written for that action accept it. `sigstore.dsse.StatementBuilder` takes a predicate of any shape, so the JSON is
written here, and tests compare with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from packaging.utils import canonicalize_name

from unmoor import advice
from unmoor.errors import Unknown
from unmoor.ports.signer import Identity
from unmoor.products import Subject, Tool
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

STATEMENT = "https://in-toto.io/Statement/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
"""The predicate type of SLSA provenance: how a file was made."""
CYCLONEDX = "https://cyclonedx.org/bom"
"""The predicate type of a bill of materials in the format CycloneDX: what a file consists of and needs."""
WORKFLOW = "https://actions.github.io/buildtypes/workflow/v1"
"""The build type of a run of GitHub Actions."""
BY_HAND = "urn:unmoor:by-hand:v1"
"""The build type, and the builder, of a release that no workflow runs."""
_OURS = "unmoor"
_COMMIT = "gitCommit"


class Dependency(msgspec.Struct, frozen=True, kw_only=True):
    """Something that took part in a build: a URI, such as a package URL, and its digests by algorithm, if known."""

    uri: str
    digests: Mapping[str, str] = msgspec.field(default_factory=dict)

    @classmethod
    def of_tool(cls, tool: Tool) -> Dependency:
        """Describe a Python package of a version, or the interpreter, as a package URL (ECMA-427)."""
        kind = "generic" if tool.name == "python" else "pypi"
        digests = {"sha256": tool.sha256} if tool.sha256 else {}
        return cls(uri=f"pkg:{kind}/{canonicalize_name(tool.name)}@{quote(tool.version, safe='')}", digests=digests)

    @classmethod
    def of_commit(cls, repository: str, ref: str, commit: str) -> Dependency:
        """Describe a commit of a repository on the web, as GitHub's action does: an SPDX download location."""
        return cls(uri=f"git+{repository}@{ref}", digests={_COMMIT: commit})

    @property
    def is_commit(self) -> bool:
        """Whether this is the commit that was built."""
        return _COMMIT in self.digests

    @property
    def document(self) -> dict[str, Any]:
        """A resource descriptor of in-toto (v1)."""
        return {"uri": self.uri, **({"digest": dict(sorted(self.digests.items()))} if self.digests else {})}


def publish_type() -> str:
    """The predicate type of a publish attestation: whoever signs it has uploaded the file. Its predicate is null."""
    from pypi_attestations import AttestationType

    return AttestationType.PYPI_PUBLISH_V1.value


def publish_statement(subject: Subject) -> bytes:
    """Return the statement of a publish attestation of one file (PEP 740), whose name is that of the file."""
    return _statement([subject], publish_type(), None)


def sbom_statement(subject: Subject, sbom: Mapping[str, Any]) -> bytes:
    """Return the statement that a file has this bill of materials, which is CycloneDX as JSON values."""
    return _statement([subject], CYCLONEDX, sbom)


def release_provenance(
    subjects: Iterable[Subject],
    *,
    run: Identity | None,
    parameters: Mapping[str, Any] | None = None,
    dependencies: Iterable[Dependency] = (),
) -> bytes:
    """Return the provenance of all files of a release, in one statement.

    ``run`` is the workflow run that makes it, ``None`` for a release by hand. ``parameters`` are what else decided the
    build, as JSON values; they become public. ``dependencies`` are the tools and packages; the commit is added.
    """
    return _statement(subjects, PROVENANCE, _provenance(run, parameters or {}, dependencies))


def image_provenance(
    name: str,
    digest: str,
    *,
    run: Identity | None,
    parameters: Mapping[str, Any] | None = None,
    dependencies: Iterable[Dependency] = (),
) -> bytes:
    """Return the provenance of one image: ``name`` without a tag, ``digest`` as ``sha256:…``."""
    subject = Subject(name=name, sha256=digest.removeprefix("sha256:"))
    return _statement([subject], PROVENANCE, _provenance(run, parameters or {}, dependencies))


def made_by(statement: bytes, run: Identity) -> bytes:
    """Return the same provenance with ``run`` as the one that made it: what signs trusts its own token, not a file.

    Subjects, parameters and dependencies stay. Raises `Unknown` if it is not provenance that this module writes.
    """
    try:
        read = decode_json(statement, dict[str, Any])
        definition = read["predicate"]["buildDefinition"]
        parameters = definition["internalParameters"].get(_OURS, {})
        dependencies = [
            Dependency(uri=each["uri"], digests=each.get("digest", {}))
            for each in definition["resolvedDependencies"]
            if _COMMIT not in each.get("digest", {})
        ]
        subjects = _subjects(read)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(error) from error
    return release_provenance(subjects, run=run, parameters=parameters, dependencies=dependencies)


def subjects_of(statement: bytes) -> tuple[Subject, ...]:
    """The subjects of a statement that this module wrote. Raises `Unknown` if it is not one."""
    try:
        return _subjects(decode_json(statement, dict[str, Any]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(error) from error


def _subjects(document: Mapping[str, Any]) -> tuple[Subject, ...]:
    return tuple(Subject(name=each["name"], sha256=each["digest"]["sha256"]) for each in document["subject"])


def _unreadable(error: Exception) -> Unknown:
    what = f"the provenance that the build wrote cannot be read: {clean(str(error), 120)}"
    return Unknown(what, next_step=advice.REMOVE_RUN_FOLDER())


def _provenance(
    run: Identity | None, parameters: Mapping[str, Any], dependencies: Iterable[Dependency]
) -> dict[str, Any]:
    """The predicate. The first resolved dependency is the commit."""
    ours = {_OURS: dict(parameters)} if parameters else {}
    # Machines of two platforms have two wheels of one version.
    named = {(not each.is_commit, each.uri, tuple(sorted(each.digests.items()))): each for each in dependencies}
    used = [named[key] for key in sorted(named)]
    if run is None:
        return {
            "buildDefinition": {
                "buildType": BY_HAND,
                "externalParameters": {},
                "internalParameters": ours,
                "resolvedDependencies": [each.document for each in used],
            },
            "runDetails": {"builder": {"id": BY_HAND}},
        }
    site, _, workflow = run.caller.partition(f"/{run.repository}/")
    path, _, ref = workflow.partition("@")
    commit = Dependency.of_commit(f"{site}/{run.repository}", run.ref, run.commit)
    return {
        "buildDefinition": {
            "buildType": WORKFLOW,
            "externalParameters": {
                "workflow": {"ref": ref, "repository": f"{site}/{run.repository}", "path": path},
            },
            "internalParameters": {
                "github": {
                    "event_name": run.event,
                    "repository_id": run.repository_id,
                    "repository_owner_id": run.owner_id,
                    "runner_environment": run.runner,
                },
                **ours,
            },
            "resolvedDependencies": [each.document for each in (commit, *used)],
        },
        "runDetails": {"builder": {"id": run.workflow}, "metadata": {"invocationId": run.run}},
    }


def _statement(subjects: Iterable[Subject], kind: str, predicate: Mapping[str, Any] | None) -> bytes:
    """Write a statement, its subjects by name."""
    document = {
        "_type": STATEMENT,
        "subject": [
            {"name": each.name, "digest": {"sha256": each.sha256}}
            for each in sorted(subjects, key=lambda each: each.name)
        ],
        "predicateType": kind,
        "predicate": predicate,
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
