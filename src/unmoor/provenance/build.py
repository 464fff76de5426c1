"""The provenance of a release's files before it is signed: which tools made them, and which settings decided that.

All of it is in the manifest, which only counts if it is vouched for. So every job writes the same bytes, and one that
was handed another statement notices.
"""

from __future__ import annotations

from typing import Any

from unmoor.products import Dists, Provenance, Release, Subject
from unmoor.provenance.statements import Dependency, release_provenance
from unmoor.util.secret_scan import token_in

# Only GitHub's own jobs can sign.
_SITE = "https://github.com"


def build_provenance(release: Release, dists: Dists) -> Provenance:
    """Describe how the files of a release were made.

    It names no run: whoever signs writes its own, and its commit (`unmoor.provenance.statements.made_by`).
    """
    subjects = tuple(Subject(name=file.name, sha256=file.sha256) for file in dists.files)
    commit = Dependency.of_commit(f"{_SITE}/{release.repository}", f"refs/tags/{release.tag}", release.commit)
    tools = [Dependency.of_tool(tool) for tool in dists.tools]
    parameters = build_parameters(release, dists)
    statement = release_provenance(subjects, run=None, parameters=parameters, dependencies=[commit, *tools])
    return Provenance(statement=statement, subjects=subjects, tools=len(tools))


def build_parameters(release: Release, dists: Dists) -> dict[str, Any]:
    """What decided the build besides the commit, as JSON values. They become public, so none looks like a secret.

    ``decisions`` are the settings that differ from the defaults; ``source-date-epoch`` is the time of built files.
    """
    decisions = [each for each in dists.decisions if not token_in(each)]
    if left_out := len(dists.decisions) - len(decisions):
        decisions.append(f"left out, since they look like secrets: {left_out}")
    return {
        "project": release.project,
        "version": release.version,
        **({"path": release.path} if release.path else {}),
        **({"settings": release.settings} if release.settings else {}),
        "source-date-epoch": release.build_date,
        "decisions": decisions,
    }
