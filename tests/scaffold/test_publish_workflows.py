"""Which workflows upload to an index, and what the index knows of them."""

from __future__ import annotations

import pytest
from tests.support.proposals import workflow_files

from unmoor.errors import Refused
from unmoor.scaffold.publish_workflows import PublishWorkflow, publish_workflows

PATH = ".github/workflows/w.yml"
UPLOADS = {
    "action": "- uses: pypa/gh-action-pypi-publish@release/v1",
    "twine": "- run: |\n          python -m build\n          twine upload dist/*",
    "uv": "- run: uv publish --trusted-publishing always",
    "poetry": "- run: poetry publish",
    "maturin": "- run: maturin upload --skip-existing *",
    "setup.py": "- run: python setup.py sdist bdist_wheel upload",
    "token": "- run: scripts/publish\n        env: {TWINE_PASSWORD: '${{ secrets.TOKEN }}'}",
}
STAGED = {
    "action": "- uses: pypa/gh-action-pypi-publish@v1\n        with: {repository-url: https://test.example/legacy/}",
    "twine": "- run: twine upload --repository testpypi dist/*",
    "variable": "- run: twine upload dist/*\n        env: {TWINE_REPOSITORY_URL: https://test.example/legacy/}",
}
OTHERS = {
    "a comment": "- run: |\n          # twine upload dist/*\n          true",
    "a check": "- run: twine check dist/*",
    "a build": "- run: uv build",
    "an artifact": "- uses: actions/upload-artifact@v4",
}


def workflow(step: str, on: str = "{push: {tags: ['*']}}", job: str = "") -> str:
    """A workflow with one job of one step."""
    return f"name: w\non: {on}\njobs:\n  one:\n    runs-on: ubuntu-latest\n{job}    steps:\n      {step}\n"


def found(text: str) -> tuple[PublishWorkflow, ...]:
    """The workflows that upload, in a repository with this one."""
    return publish_workflows(workflow_files({PATH: text}).draft)


@pytest.mark.parametrize("name", UPLOADS)
def test_an_upload_is_found(name: str) -> None:
    """By an action, a command, or a token that a step gets."""
    (one,) = found(workflow(UPLOADS[name]))
    assert (one.path, one.is_final, one.tagged, one.tests) == (PATH, True, True, False)


@pytest.mark.parametrize("name", STAGED)
def test_an_upload_to_the_staging_index_is_another_one(name: str) -> None:
    """Its address or name is that of a test index."""
    (one,) = found(workflow(STAGED[name], job="    environment: test\n"))
    assert not one.is_final
    assert one.environment(staging=True) == "test"
    assert one.environment(staging=False) == ""


@pytest.mark.parametrize("name", OTHERS)
def test_what_only_looks_like_one_is_none(name: str) -> None:
    """A check of files uploads nothing, nor does a comment."""
    assert found(workflow(OTHERS[name])) == ()


@pytest.mark.parametrize(
    ("text", "name", "computed"),
    [
        ("    environment: release\n", "release", False),
        ("    environment:\n      name: deploy\n      url: https://example.org\n", "deploy", False),
        ("    environment: ${{ inputs.to }}\n", "", True),
        ("", "", False),
    ],
    ids=["text", "table", "computed", "none"],
)
def test_the_environment_is_read(text: str, name: str, *, computed: bool) -> None:
    """The index knows its name, which an expression may give."""
    (one,) = found(workflow(UPLOADS["action"], job=text))
    assert (one.environment(staging=False), one.jobs[0].computed) == (name, computed)


@pytest.mark.parametrize(
    ("on", "tagged"),
    [
        ("{release: {types: [published]}}", True),
        ("push", True),
        ("[push, pull_request]", True),
        ("{push: {branches: [main]}}", False),
        ("{push: {branches: [main], tags: ['v*']}}", True),
        ("workflow_dispatch", False),
    ],
)
def test_what_starts_it_is_read(on: str, *, tagged: bool) -> None:
    """A pushed tag or a release would upload a second time."""
    (one,) = found(workflow(UPLOADS["uv"], on=on))
    assert one.tagged is tagged


def test_jobs_that_test_branches_are_told_apart() -> None:
    """Such a file has to stay, without the jobs that upload and those that need them."""
    text = workflow("- run: pytest", on="[push]") + (
        "  up:\n    needs: one\n    steps:\n      - run: twine upload dist/*\n"
        "  late:\n    needs: [up]\n    steps:\n      - uses: acme/announce@v1\n"
    )
    (one,) = found(text)
    assert one.tests
    assert (one.jobs[0].id, one.after, one.actions) == ("up", ("late",), ("acme/announce",))


def test_a_broken_file_is_named_if_it_may_publish() -> None:
    """Unknown is no pass; a broken file without such words is only mentioned."""
    with pytest.raises(Refused, match="not valid YAML"):
        found("on: [push\n# uses: pypa/gh-action-pypi-publish\n")
    files = workflow_files({PATH: "on: [push\n"})
    assert publish_workflows(files.draft) == ()
    assert "cannot be read" in files.draft.notes[0]


@pytest.mark.parametrize(
    ("on", "step", "note"),
    [
        ("{release: {types: [published]}}", "- run: make docs", "starts no other one"),
        ("{push: {tags: ['*']}}", "- uses: softprops/action-gh-release@v2", "remove one of the two"),
    ],
    ids=["on release", "makes releases"],
)
def test_what_a_release_means_for_others_is_said(on: str, step: str, note: str) -> None:
    """A workflow that waits for releases is not started by those of a workflow."""
    files = workflow_files({PATH: workflow(step, on=on)})
    assert publish_workflows(files.draft) == ()
    assert note in files.draft.notes[0]
