"""The YAML that a model of a workflow becomes."""

from __future__ import annotations

from ruamel.yaml import YAML

from unmoor.workflows.model import Concurrency, JobPermission, Script, Uses, Workflow, WorkflowCall, WorkflowJob
from unmoor.workflows.yaml_text import text_of

WORKFLOW = Workflow(
    file="demo.yml",
    name="demo",
    comment="Written by a test.",
    run_name="Demo of ${{ github.ref_name }}",
    on={"push": {"tags": ["v[0-9]*", "[0-9]*"]}, "workflow_dispatch": None},
    concurrency=Concurrency(group="demo-${{ github.ref_name }}", queue=True),
    env={"TAG": "${{ github.ref_name }}"},
    jobs=(
        WorkflowJob(
            id="build",
            name="Build",
            minutes=30,
            permissions=(JobPermission("contents", "read", "to check out the repository"),),
            outputs={"digest": "${{ steps.unmoor.outputs.manifest-sha256 }}"},
            steps=(
                Uses(action="actions/checkout", inputs={"fetch-depth": 0, "persist-credentials": False}),
                Script(id="unmoor", script='unmoor release \\\n  -- "$TAG"', env={"A": "${{ inputs.a }}"}),
            ),
        ),
        WorkflowCall(id="tests", name="Tests", file="tests.yml", needs=("build",), inputs={"python": "3.13"}),
        WorkflowJob(
            id="publish",
            name="Publish: for good",
            comment="Nothing of this\ncan be taken back.",
            minutes=5,
            needs=("build", "tests"),
            matrix={"python": ["3.11", "3.13"]},
            environment="pypi",
            steps=(Script(script="echo 1"),),
        ),
    ),
)

TEXT = """\
# Written by a test.
name: demo
run-name: Demo of ${{ github.ref_name }}

on:
  push:
    tags:
      - v[0-9]*
      - '[0-9]*'
  workflow_dispatch:

permissions: {}

concurrency:
  group: demo-${{ github.ref_name }}
  cancel-in-progress: false
  queue: max

env:
  TAG: ${{ github.ref_name }}

defaults:
  run:
    shell: bash

jobs:
  build:
    name: Build
    runs-on: ubuntu-latest
    timeout-minutes: 30
    permissions:
      contents: read # to check out the repository
    outputs:
      digest: ${{ steps.unmoor.outputs.manifest-sha256 }}
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          fetch-depth: 0
          persist-credentials: false
      - id: unmoor
        run: |-
          unmoor release \\
            -- "$TAG"
        env:
          A: ${{ inputs.a }}

  tests:
    name: Tests
    needs: build
    permissions: {}
    uses: $/.github/workflows/tests.yml
    with:
      python: '3.13'

  # Nothing of this
  # can be taken back.
  publish:
    name: 'Publish: for good'
    needs: [build, tests]
    runs-on: ubuntu-latest
    timeout-minutes: 5
    environment: pypi
    permissions: {}
    strategy:
      fail-fast: false
      matrix:
        python:
          - '3.11'
          - '3.13'
    steps:
      - run: echo 1
"""


def test_a_workflow_becomes_these_bytes() -> None:
    """The text is what a person would write: comments, blank lines between jobs, no folded line."""
    assert text_of(WORKFLOW) == TEXT


def test_the_text_is_read_as_it_was_meant() -> None:
    """A reader of YAML 1.2 finds the jobs, their order and the key ``on``."""
    found = YAML(typ="safe", pure=True).load(TEXT)
    assert list(found["jobs"]) == ["build", "tests", "publish"]
    assert found["on"]["workflow_dispatch"] is None
    assert found["permissions"] == {}
