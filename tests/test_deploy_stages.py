"""Which deployments a release has, by its settings and its world, and what they wait for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.support.unused_services import unused_pipeline, unused_services

from unmoor.artifacts.run_dir import RunFolder
from unmoor.assembly import assemble, assemble_deployments
from unmoor.config.announce import AnnounceSettings
from unmoor.config.docs import DocsSettings
from unmoor.config.settings import Settings
from unmoor.config.space import SpaceSettings
from unmoor.core.stage import Reach
from unmoor.ports.deployers import Deployers
from unmoor.release_request import ReleaseRequest
from unmoor.util.values import replace

STAGES = {"build-docs", "check-docs", "check-space", "check-announce", "docs", "space", "announce"}
CONFIGURED = Settings(
    docs=DocsSettings(to="branch:gh-pages"),
    space=SpaceSettings(repo="acme/demo", files=("app.py",)),
    announce=AnnounceSettings(targets={"chat": "CHAT_URL"}),
)
PLACES = Deployers(
    pages=lambda name: cast("Any", SimpleNamespace(where=name)),
    space=lambda repo: cast("Any", SimpleNamespace(repo=repo, address=repo)),
    announcer=lambda _targets: cast("Any", SimpleNamespace()),
)
_IMPORTS = """
import sys
import unmoor.cli.session
from tests.support.unused_services import unused_pipeline
unused_pipeline()
print(*sys.modules)
"""


def request(settings: Settings, *skipped: str) -> ReleaseRequest:
    """A request to release v1.0 of owner/name."""
    return ReleaseRequest(
        tag="v1.0",
        named=True,
        repository="owner/name",
        settings=settings,
        folder=RunFolder(Path(".unmoor/v1.0")),
        ceiling=Reach.FINAL,
        skipped=skipped,
    )


def test_nothing_configured_is_nothing_more() -> None:
    """A release without deployments has none of their stages, and imports none of what they need."""
    assert STAGES & set(unused_pipeline(Settings()).names) == set()
    root = Path(__file__).parents[1]
    ran = subprocess.run(
        [sys.executable, "-c", _IMPORTS], capture_output=True, text=True, check=True, timeout=60, cwd=root
    )
    files = {f"unmoor.stages.{name.replace('-', '_')}" for name in {*STAGES, "service", "check-service", "public"}}
    rooms = ("unmoor.deploy.", "unmoor.adapters.announce", "unmoor.adapters.hub", "unmoor.adapters.proxy")
    found = {each for each in ran.stdout.split() if each in files or each.startswith(rooms)}
    assert found == set()
    assert not {"huggingface_hub", "apprise", "httpx"} & set(ran.stdout.split())


def test_what_can_fail_early_does() -> None:
    """Checks come before the first surface, and the index waits for them; the deployments come after `verify`."""
    services = replace(unused_services(), deployers=PLACES)
    pipeline = assemble(request(CONFIGURED), services)
    assert set(pipeline.names) >= STAGES
    names = pipeline.names
    early = {"build-docs", "check-docs", "check-space", "check-announce"}
    assert max(map(names.index, early)) < names.index("draft")
    assert early - {"check-announce"} <= pipeline.upstream_of(pipeline["pypi"])
    for deployed in ("docs", "space"):
        assert "verify" in pipeline.upstream_of(pipeline[deployed])
        assert pipeline[deployed].reach is Reach.REMOTE
    assert not pipeline.upstream_of(pipeline["docs"]) & {"space", "announce"}
    assert names[-1] == "announce"
    assert pipeline["announce"].advisory
    assert {"docs", "space", "verify"} <= pipeline.upstream_of(pipeline["announce"])


@pytest.mark.parametrize(
    ("skipped", "deployers", "missing"),
    [
        (("space", "announce"), PLACES, {"space", "check-space", "announce", "check-announce"}),
        ((), Deployers(pages=PLACES.pages), {"space", "check-space", "announce", "check-announce"}),
    ],
    ids=["skipped", "no place in the world"],
)
def test_a_deployment_can_be_left_out(skipped: tuple[str, ...], deployers: Deployers, missing: set[str]) -> None:
    """What another job deploys, or what a world has no place for, has no stage and no check."""
    services = replace(unused_services(), deployers=deployers)
    assert STAGES - set(assemble(request(CONFIGURED, *skipped), services).names) == missing


def test_an_advisory_deployment_holds_nobody_up() -> None:
    """Neither its check nor its failure stops the release."""
    space = SpaceSettings(repo="acme/demo", files=("app.py",), policy="advisory")
    docs = DocsSettings(to="branch:gh-pages", policy="advisory")
    services = replace(unused_services(), deployers=PLACES)
    pipeline = assemble(request(Settings(space=space, docs=docs)), services)
    assert pipeline["space"].advisory
    for check in ("check-docs", "check-space"):
        assert pipeline[check].advisory
        assert check not in pipeline.upstream_of(pipeline["pypi"])


def test_only_branches_are_checked() -> None:
    """What Read the Docs builds, and where, only the job with its token sees."""
    hosted = Settings(docs=DocsSettings(to="readthedocs:tide"))
    pipeline = assemble(request(hosted), replace(unused_services(), deployers=PLACES))
    assert "build-docs" in pipeline.names
    assert "check-docs" not in pipeline.names


def test_a_deployment_alone_begins_with_the_public_release() -> None:
    """Nothing final is in its pipeline, and what comes before it waits for the public release."""
    services = replace(unused_services(), deployers=PLACES)
    pipeline = assemble_deployments(request(CONFIGURED), services)
    assert pipeline.names[:2] == ("tag", "public")
    assert {stage.name for stage in pipeline if stage.reach is Reach.FINAL} == {"announce"}
    assert all("public" in pipeline.upstream_of(stage) for stage in pipeline if stage.name not in {"tag", "public"})
    assert "access" not in pipeline.upstream_of(pipeline["space"])
