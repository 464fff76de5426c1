"""Which workflow of a commit can sign its releases."""

from __future__ import annotations

import pytest

from unmoor.provenance.release_workflow import is_workflow, signing_workflows

PATH = ".github/workflows/release.yml"
TOKEN = "permissions: {id-token: write}"
JOBS = "jobs: {publish: {steps: []}}"
OWN = "jobs: {publish: {permissions: {contents: write, id-token: write}}}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"on: push\n{TOKEN}\n{JOBS}", (PATH,)),
        (f"on: [push, pull_request]\n{TOKEN}\n{JOBS}", (PATH,)),
        (f"on: {{push: {{tags: ['v*']}}}}\n{TOKEN}\n{JOBS}", (PATH,)),
        (f"on:\n  push:\n    branches: [main]\n    tags: v*\n{OWN}", (PATH,)),
        (f"on: {{push: {{tags-ignore: [x]}}}}\n{OWN}", (PATH,)),
        (f"on: {{push: , workflow_dispatch: }}\n{OWN}", (PATH,)),
        (f"on: {{push: {{paths: [src/**]}}}}\n{OWN}", (PATH,)),
        (f"'on': push\npermissions: write-all\n{JOBS}", (PATH,)),
        (f"on: push\npermissions: read-all\n{OWN}", (PATH,)),
        (f"on: {{push: {{branches: [main]}}}}\n{OWN}", ()),
        (f"on: {{push: {{branches-ignore: [x]}}}}\n{OWN}", ()),
        (f"on: {{release: {{types: [published]}}}}\n{OWN}", ()),
        (f"on: workflow_dispatch\n{OWN}", ()),
        (f"on: workflow_call\n{OWN}", ()),
        (OWN, ()),
        (f"on: push\n{JOBS}", ()),
        (f"on: push\npermissions: {{id-token: none}}\n{JOBS}", ()),
        (f"on: push\n{TOKEN}\njobs: {{publish: {{permissions: {{contents: write}}}}}}", ()),
        (f"on: push\n{TOKEN}\njobs: {{a: {{permissions: {{}}}}, b: {{}}}}", (PATH,)),
        (f"on: push\n{TOKEN}\njobs: {{a: {{uses: ./.github/workflows/b.yml}}}}", (".github/workflows/b.yml",)),
        (
            f"on: push\n{TOKEN}\njobs: {{a: {{uses: org/shared/.github/workflows/b.yml@v1}}, b: {{}}}}",
            (PATH, "org/shared/.github/workflows/b.yml"),
        ),
        (f"# a comment\non: &e push\nx: *e\n<<: {{on: schedule}}\n{OWN}", (PATH,)),
    ],
)
def test_what_can_sign_a_release(text: str, found: tuple[str, ...]) -> None:
    """A pushed tag has to start it, and a job has to get ID tokens; a called file signs in place of its caller."""
    workflows = signing_workflows({PATH: text.encode()})
    assert (workflows.paths, workflows.unread) == (found, ())
    assert workflows.only == (found[0] if len(found) == 1 else "")


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"",
        b"a text",
        b"on: push",
        b"on: push\njobs: [1]",
        b"on: {[push]: 1}\njobs: {}",
        b"on: push\njobs: {a: {uses: [x], permissions: write-all}}",
        b"on: [push\n",
        b"on: push\non: release\njobs: \xff",
        b"on: " + b"[" * 20_000,
        b"#" * 600_000,
    ],
)
def test_what_is_no_workflow(data: bytes | None) -> None:
    """A file that cannot be read might sign as well, so then no other one is the only one."""
    good = f"on: push\n{OWN}".encode()
    workflows = signing_workflows({PATH: good, ".github/workflows/odd.yml": data})
    assert (workflows.paths, workflows.unread, workflows.only) == ((PATH,), (".github/workflows/odd.yml",), "")


@pytest.mark.parametrize(
    ("path", "takes"),
    [
        (PATH, True),
        (".github/workflows/x.yaml", True),
        (".github/workflows/x.json", False),
        (".github/workflows/old/x.yml", False),
        (".github/dependabot.yml", False),
        ("docs/.github/workflows/x.yml", False),
    ],
)
def test_where_workflows_are(path: str, *, takes: bool) -> None:
    """Only files right in that folder, with one of two endings."""
    assert is_workflow(path) is takes
