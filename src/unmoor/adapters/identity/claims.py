"""The claims of an ID token, and the publisher on the index that matches them.

Does not check the signature; the index does. Claims are cleaned before they are printed, and the token never is.
Nothing here reads ``sub``, and PyPI does not compare it either: its form differs between repositories (since July 2026
new and renamed ones have the numbers of owner and repository in it), and an owner can change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from unmoor import advice
from unmoor.errors import Unknown
from unmoor.util.secret import Secret
from unmoor.util.text import clean

MISSING = "MISSING"
_SHOWN = (
    *("repository", "repository_owner_id", "job_workflow_ref", "environment"),
    *("event_name", "workflow_ref", "ref", "sub"),
)
_SHOWN_ELSEWHERE = ("iss", "sub", "project_path", "ci_config_ref_uri", "environment", "ref", "email")
_LONGEST = 200


class Claims(msgspec.Struct, frozen=True):
    """The claims of an ID token that are strings, unchanged: untrusted, and not safe to print.

    ``times`` are those that are numbers, such as ``iat`` and ``exp``, in seconds since 1970.
    """

    values: Mapping[str, str] = msgspec.field(default_factory=dict)
    times: Mapping[str, float] = msgspec.field(default_factory=dict)

    @classmethod
    def of(cls, token: Secret) -> Claims:
        """Decode a token (RFC 7519). Raises `Unknown` if it is not a valid one."""
        import jwt

        decoded: dict[str, Any] | None
        try:
            decoded = jwt.decode(token.reveal(), options={"verify_signature": False})
        except jwt.InvalidTokenError:
            decoded = None
        if decoded is None:
            raise Unknown(
                "the CI's answer is not an ID token",
                otherwise=advice.CHECK_ID_TOKEN_SETTINGS(),
            )
        return cls(
            {name: value for name, value in decoded.items() if isinstance(value, str)},
            {name: float(value) for name, value in decoded.items() if isinstance(value, int | float)},
        )

    def get(self, name: str) -> str:
        """One claim, safe to print; empty if it is absent."""
        return clean(self.values.get(name, ""), limit=_LONGEST)

    @property
    def is_github(self) -> bool:
        """Whether these are the claims of GitHub Actions."""
        return "repository" in self.values or "workflow_ref" in self.values

    @property
    def workflow(self) -> str:
        """The file name of the workflow that the index compares; empty if it is unknown."""
        return workflow_file(self.get("job_workflow_ref"))

    def brief(self) -> str:
        """The identity of this job, in a few words."""
        if not self.is_github:
            return self.get("project_path") or self.get("sub") or "an ID token that names nobody"
        where = self.get("environment")
        return ", ".join(
            part
            for part in (
                self.get("repository"),
                self.workflow and f"workflow {self.workflow}",
                f"environment {where}" if where else "no environment",
            )
            if part
        )

    @property
    def doubt(self) -> str:
        """Why an index may refuse this job, which only the index decides; empty if nothing suggests that."""
        called, calling = self.values.get("job_workflow_ref", ""), self.values.get("workflow_ref", "")
        if called and calling and called != calling:
            return (
                f"this job runs in a reusable workflow: the ID token names {self.get('job_workflow_ref')}, called by"
                f" {self.get('workflow_ref')}. An index may refuse it: PyPI takes only the called file, only from the"
                " publisher's own repository and at the same ref. If it does, publish from a job of the workflow that"
                " the tag itself starts; the reusable one may build and test, and pass the files on as an artifact"
            )
        if self.values.get("event_name") == "pull_request_target":
            return "this job runs for a pull request (pull_request_target): PyPI refuses that; start it for a tag"
        return ""

    def table(self, index: str) -> str:
        """The claims next to the required fields of the publisher, one a line."""
        needs = self._needs()
        rows = [f"claims of this job's ID token | required of the publisher on {index}"]
        for name in _SHOWN if self.is_github else _SHOWN_ELSEWHERE:
            row = f"{name}: {self.get(name) or MISSING}"
            rows.append(f"{row} | {needs[name]}" if needs.get(name) else row)
        return "\n".join(rows)

    def _needs(self) -> dict[str, str]:
        environment = self.get("environment")
        named = f"environment {environment}, or none given" if environment else "no environment given"
        if not self.is_github:
            group, _, project = self.get("project_path").rpartition("/")
            return {
                "project_path": f"namespace {group}, project {project}" if project else "",
                "ci_config_ref_uri": "the path of this CI file",
                "environment": named,
                "ref": "any",
            }
        owner, _, name = self.get("repository").partition("/")
        return {
            "repository": f"owner {owner}, repository {name}" if name else "owner and repository",
            "repository_owner_id": "the account that owned the repository when the publisher was added",
            "job_workflow_ref": f"workflow {self.workflow}" if self.workflow else "the file name of the workflow",
            "environment": named,
            "event_name": "any but pull_request_target",
            "workflow_ref": "not compared",
            "ref": "not compared",
            "sub": "not compared",
        }


def workflow_file(reference: str) -> str:
    """The file name in ``OWNER/NAME/.github/workflows/FILE@REF``, empty if there is none.

    >>> workflow_file("acme/demo/.github/workflows/release.yml@refs/tags/v1@2")
    'release.yml'
    """
    _, found, rest = reference.partition("/.github/workflows/")
    return rest.partition("@")[0] if found else ""
