"""The part ``release``: one workflow, and only the settings that differ from the defaults."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

import pytest
from tests.scaffold.test_publish_workflows import STAGED, UPLOADS, workflow
from tests.support.proposals import FILES, PROJECT, applied, proposal

from unmoor.errors import Refused

FOLDER = ".github/workflows"
RELEASE = f"{FOLDER}/release.yml"
LISTS = {".github/unmoor/requirements.in", ".github/unmoor/requirements.txt"}
DEPLOY = workflow(UPLOADS["action"], job="    environment: deploy\n")
ON_RELEASE = workflow(UPLOADS["twine"], on="{release: {types: [published]}}")
TESTS = workflow("- run: pytest", on="[push, pull_request]")
UP = "  up:\n    needs: one\n    runs-on: x\n    environment: deploy\n    steps:\n      - run: twine upload dist/*\n"

# The files besides those of a plain project; the settings; what happens to files beside the lists; words of a note.
CASES: Mapping[str, tuple[dict[str, str], dict[str, object], dict[str, str], str]] = {
    "a bare project": ({}, {}, {RELEASE: "written"}, ""),
    "a publisher": (
        {f"{FOLDER}/deploy.yaml": DEPLOY},
        {"release-workflow": f"{FOLDER}/deploy.yaml", "workflows": {"environment": "deploy"}},
        {f"{FOLDER}/deploy.yaml": "updated", "pyproject.toml": "updated"},
        "is replaced, with its jobs one",
    ),
    "a publisher of that name": ({RELEASE: ON_RELEASE}, {}, {RELEASE: "updated"}, "is replaced"),
    "another release.yml": (
        {RELEASE: TESTS},
        {"release-workflow": f"{FOLDER}/publish.yml"},
        {f"{FOLDER}/publish.yml": "written", "pyproject.toml": "updated"},
        "",
    ),
    "tests that publish": (
        {f"{FOLDER}/ci.yml": TESTS + UP},
        {"workflows": {"environment": "deploy"}},
        {RELEASE: "written", f"{FOLDER}/ci.yml": "updated", "pyproject.toml": "updated"},
        "only up goes from it",
    ),
    "two publishers": (
        {f"{FOLDER}/a.yml": ON_RELEASE, f"{FOLDER}/b.yml": ON_RELEASE},
        {"release-workflow": f"{FOLDER}/a.yml"},
        {f"{FOLDER}/a.yml": "updated", f"{FOLDER}/b.yml": "removed", "pyproject.toml": "updated"},
        "b.yml goes",
    ),
    "a file of other jobs": (
        {f"{FOLDER}/build.yml": ON_RELEASE},
        {},
        {RELEASE: "written", f"{FOLDER}/build.yml": "removed"},
        "goes",
    ),
    "staging of branches": (
        {f"{FOLDER}/t.yml": workflow(STAGED["twine"], on="{push: {branches: [main]}}", job="    environment: t\n")},
        {"workflows": {"staging-environment": "t"}},
        {RELEASE: "written", "pyproject.toml": "updated"},
        "t.yml stays",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_proposed(name: str) -> None:
    """A publisher keeps its file name and environment; the second proposal is empty."""
    files, settings, changes, note = CASES[name]
    made = proposal({**FILES, **files})
    after = applied({**FILES, **files}, made)
    assert {each.path: each.state for each in made.changes if each.path not in LISTS} == changes
    assert tomllib.loads(after["pyproject.toml"]).get("tool", {}).get("unmoor", {}) == settings
    assert note in "\n".join(made.notes)
    again = proposal(after)
    assert again.changes == ()
    assert again.checklist


def test_jobs_that_test_stay_byte_for_byte() -> None:
    """Only the job that uploads goes, with its lines."""
    made = proposal({**FILES, f"{FOLDER}/ci.yml": TESTS + UP})
    assert applied(FILES, made)[f"{FOLDER}/ci.yml"] == TESTS


def test_jobs_that_cannot_be_taken_out_are_refused() -> None:
    """Two uploads of one version would be worse than no proposal."""
    flow = "on: push\njobs: {t: {steps: [{run: pytest}]}, up: {steps: [{run: twine upload dist/*}]}}\n"
    with pytest.raises(Refused, match="would upload a second time") as caught:
        proposal({**FILES, f"{FOLDER}/ci.yml": flow})
    assert caught.value.next_step.ids == ("remove-publish-jobs",)


@pytest.mark.parametrize(
    ("tags", "prefix"),
    [(("v1.0", "v1.1"), None), (("1.0",), None), (("release-1.0",), "release-"), (("demo-1.0",), "demo-"), ((), None)],
    ids=["v", "plain", "release", "name", "none"],
)
def test_tags_that_begin_otherwise_are_a_setting(tags: tuple[str, ...], prefix: str | None) -> None:
    """The workflow starts with the tags that the project makes."""
    after = applied(FILES, proposal(FILES, tags=tags))
    assert tomllib.loads(after["pyproject.toml"]).get("tool", {}).get("unmoor", {}).get("tag-prefix") == prefix
    assert f"{prefix or ''}v[0-9]*" in after[RELEASE]


def test_settings_go_where_they_are() -> None:
    """A project without pyproject.toml gets none, since that would change how it is built."""
    setup = {"setup.py": "from setuptools import setup\nsetup(name='demo', version='1.0')\n"}
    files = {**setup, f"{FOLDER}/deploy.yml": DEPLOY}
    after = applied(files, proposal(files))
    assert tomllib.loads(after["unmoor.toml"])["workflows"] == {"environment": "deploy"}
    assert "pyproject.toml" not in after
    assert proposal(after).changes == ()


def test_a_project_in_a_folder_leaves_other_workflows() -> None:
    """Nobody knows which projects of the repository they publish."""
    files = {f"packages/demo/{name}": text for name, text in FILES.items()} | {f"{FOLDER}/deploy.yml": DEPLOY}
    made = proposal(files, path="packages/demo")
    assert {each.path for each in made.changes} == {f"{FOLDER}/release-demo.yml", *LISTS}
    assert "so it stays" in made.notes[0]


def test_settings_of_the_user_win() -> None:
    """A key that is set is not proposed again."""
    text = (
        f'{PROJECT}\n[tool.unmoor]\nrelease-workflow = "{FOLDER}/new.yml"\n[tool.unmoor.workflows]\nenvironment = "e"\n'
    )
    files = {**FILES, "pyproject.toml": text, f"{FOLDER}/deploy.yml": DEPLOY}
    made = proposal(files)
    assert {each.path: each.state for each in made.changes if each.path not in LISTS} == {
        f"{FOLDER}/new.yml": "written",
        f"{FOLDER}/deploy.yml": "removed",
    }


def test_another_workflow_with_an_identity_is_named() -> None:
    """It may publish by a workflow of another repository, which nobody can read here."""
    called = (
        "on: {push: {tags: ['*']}}\njobs:\n  up:\n    permissions: {id-token: write}\n"
        "    uses: acme/tools/.github/workflows/up.yml@v1\n"
    )
    made = proposal({**FILES, f"{FOLDER}/up.yml": called})
    assert "acme/tools/.github/workflows/up.yml, which can publish as well" in made.notes[0]
