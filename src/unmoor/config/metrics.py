"""The table ``metrics``: where the records of a project are kept, and what is expected of them."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from unmoor.config.amounts import Duration, Share
from unmoor.config.table import Table

_BRANCH = r"branch:[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*"
_FOLDER = r"folder:[^\x00-\x1f\x7f]+"
STORE = re.compile(f"({_BRANCH}|{_FOLDER})")
"""How a store is written."""
STORE_WORDS = "branch: and the name of a branch, or folder: and a path"

MetricsRule: TypeAlias = Literal["success", "flaky", "budget", "regression", "coverage", "findings", "updates"]
JobPattern: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00-\x1f\x7f]{1,200}$(?!\n)",
        extra={"words": "a pattern of names of jobs, such as *test*, or the name of a workflow's file"},
    ),
]


def default_budgets() -> dict[str, str]:
    """The time limits of a project that sets none."""
    return {"ci.yml": "15m", "*test*": "10m", "*lint*": "2m", "*scan*": "5m"}


class MetricsSettings(Table, frozen=True, kw_only=True):
    """What is kept of the project's runs and measurements."""

    store: Annotated[
        str,
        Meta(
            pattern=rf"^{STORE.pattern}$(?!\n)",
            max_length=300,
            description="Where records are kept: `branch:NAME`, a branch of the repository that nothing else uses, or"
            " `folder:PATH`, relative to the project.",
            examples=["folder:metrics"],
            extra={"words": STORE_WORDS},
        ),
    ] = "branch:metrics"
    rules: Annotated[
        tuple[MetricsRule, ...],
        Meta(description="The rules of `unmoor metrics check`.", examples=[["success", "budget"]]),
    ] = ("success", "flaky", "budget", "regression", "coverage", "findings", "updates")
    days: Annotated[
        int, Meta(ge=1, le=3650, description="How many days a run or measurement counts for the rules.")
    ] = 30
    success_rate: Annotated[
        Share, Meta(description="Share of the runs of a workflow, outside of pull requests, that must succeed.")
    ] = "95%"
    flaky_rate: Annotated[Share, Meta(description="Share of the commits for which a job may have both results.")] = "5%"
    budgets: Annotated[
        dict[JobPattern, Duration],
        Meta(
            description="Time limits of jobs by a pattern of their names, and of whole workflows by the name of their"
            " file. `*` stands for anything, and case does not matter.",
            examples=[{"ci.yml": "15m", "*test*": "10m"}],
            extra={"words": "a table of patterns, each with a time"},
        ),
    ] = msgspec.field(default_factory=default_budgets)
    regression: Annotated[Share, Meta(description="How much slower than before a job or benchmark may become.")] = "10%"
    coverage: Annotated[
        Share, Meta(description="Share of the code that the tests must run, lines and branches together.")
    ] = "80%"
    findings: Annotated[int, Meta(ge=0, le=1_000_000, description="How many errors each scan may find.")] = 0
    update_days: Annotated[
        int, Meta(ge=1, le=3650, description="How many days the pull request of an update may be open.")
    ] = 7
