"""The steps that the written workflows share."""

from __future__ import annotations

import pytest

from unmoor.config.settings import Settings
from unmoor.config.workflows import WorkflowSettings
from unmoor.workflows import steps
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.model import Script, Uses

FROM_INDEX = WorkflowFacts(settings=Settings(), project="demo")
FROM_CHECKOUT = WorkflowFacts(settings=Settings(workflows=WorkflowSettings(tool="checkout")), project="unmoor")


def test_no_step_finds_a_token_in_the_checkout() -> None:
    """The checkout keeps no credential, whichever commit it is."""
    for step in (steps.check_out(), steps.check_out(ref="refs/heads/main", history=False)):
        assert step.inputs["persist-credentials"] is False
    assert steps.check_out().inputs["fetch-depth"] == 0


@pytest.mark.parametrize(
    ("versions", "listed"),
    [
        ((), "3.13"),
        (("3.11",), "3.11"),
        (("3.11", "3.13"), "3.11\n3.13\n"),
        (("3.13", "3.11", "3.13"), "3.11\n3.13\n"),
    ],
)
def test_the_last_python_is_the_one_that_runs(versions: tuple[str, ...], listed: str) -> None:
    """Each version is installed once, and the last one stays the last."""
    assert steps.set_up_python(*versions).inputs["python-version"] == listed


def test_only_what_has_a_known_hash_is_installed() -> None:
    """The tool comes from a list with hashes, or by the sha256 that the job which built it put out."""
    [listed] = steps.install_tool(FROM_INDEX)
    assert isinstance(listed, Script)
    assert '--require-hashes --no-deps --only-binary ":all:"' in listed.script
    assert not listed.env

    taken_over, by_digest = steps.install_tool(FROM_CHECKOUT, built_by="build")
    assert isinstance(taken_over, Uses)
    assert isinstance(by_digest, Script)
    assert by_digest.env == {"TOOL_SHA256": "${{ needs.build.outputs.tool-sha256 }}"}

    built, here = steps.install_tool(FROM_CHECKOUT)
    assert built.id == "tool"
    assert here.env == {"TOOL_SHA256": "${{ steps.tool.outputs.sha256 }}"}


def test_a_job_that_runs_again_replaces_what_it_handed_over() -> None:
    """Nothing is handed over silently empty, and a second attempt may hand over again."""
    inputs = steps.upload("built", ".unmoor/").inputs
    assert inputs["overwrite"] is True
    assert inputs["if-no-files-found"] == "error"
    assert inputs["include-hidden-files"] is True


def test_the_report_of_a_machine_shows_no_value_of_a_variable() -> None:
    """Variables may be secrets, so the report names them only; it is made only if somebody asks for it."""
    report = steps.report_machine()
    assert report.only_if == "inputs.debug"
    commands = report.script.splitlines()
    assert "compgen -e" in commands
    assert not {"env", "printenv", "set", "export -p", "declare -x"} & set(commands)
