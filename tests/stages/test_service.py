"""The stage ``service-NAME``: found by digest, left out of a rehearsal that cannot run it, an error elsewhere."""

from __future__ import annotations

import pytest
from tests.support.sample_values import sample_release
from tests.support.service_model import NEW, OLD, PORTS, Model, deployed

from unmoor.config.service import ServiceSettings
from unmoor.core.stage import NotUndone, Output, StageContext, Undone
from unmoor.deploy.service.stage_parts import ServiceSetup
from unmoor.errors import ConfigError
from unmoor.ports.deployers import NoService, ServicePorts
from unmoor.products import Pushed, PushedImage, Release
from unmoor.products.deployment import Deployed
from unmoor.stages.service import DeployService
from unmoor.util.values import replace

RELEASE = sample_release()
RELEASED: Output[Release] = Output("tag")
PUSHED: Output[Pushed] = Output("registry")


def stage(model: Model, *, image: str = "web", ports: ServicePorts | NoService | None = None) -> DeployService:
    """The stage for the service of a model."""
    given = ports or ServicePorts(proxy=model.proxy, host=model.host, slots=PORTS, address="https://web.invalid/")
    return DeployService(
        name="service-web",
        release=RELEASED,
        pushed=PUSHED,
        setup=ServiceSetup(
            name="web",
            project="acme/demo",
            settings=ServiceSettings(port=8000, slots=dict(PORTS), smoke=("/health",), monitor="1s", image=image),
            opened=lambda _name, _slots, _check: given,
            clock=model.clock,
        ),
        pull=lambda version: version.digest,
    )


def context(digest: str, said: list[str] | None = None) -> StageContext:
    """A release that pushed this digest, under two targets."""
    images = tuple(
        PushedImage(name="ghcr.io/acme/demo", target=target, tag="sha-1", digest=each, platforms=())
        for target, each in (("web", digest), ("tool", "sha256:" + "9" * 64))
    )
    return StageContext(
        {RELEASED.by: RELEASE, PUSHED.by: Pushed(images=images)}, warn=(said if said is not None else []).append
    )


def test_it_is_found_once_it_is_made() -> None:
    """An empty proxy has nothing, what was made is found and equal, and after undo it is absent."""
    model = deployed(OLD)
    here = stage(model)
    assert here.find(context(NEW)) is None
    made = here.make(context(NEW))
    assert made == Deployed(what="service web", address="https://web.invalid/", identity=NEW)
    assert here.find(context(NEW)) == made
    assert isinstance(here.undo(made), Undone)
    assert here.find(context(NEW)) is None
    assert here.find(context(OLD)) is not None


@pytest.mark.parametrize("at", range(3, 7))
def test_what_was_begun_is_found_for_an_undo(at: int) -> None:
    """A version that serves unwatched, or runs and serves nobody, is there to be taken back, and not deployed."""
    model = deployed(OLD)
    here = stage(model)
    assert here.find_begun(context(NEW)) is None
    assert model.killed(lambda: model.deploy(NEW), at)
    assert here.find(context(NEW)) is None
    found = here.find_begun(context(NEW))
    assert found is not None
    assert isinstance(here.undo(found), Undone)
    assert here.find_begun(context(NEW)) is None
    assert here.find(context(OLD)) is not None


def test_where_nothing_runs_nothing_is_begun() -> None:
    """A rehearsal without HAProxy has no slots to look at."""
    nowhere = stage(Model(), ports=NoService(why="haproxy is not installed here", rehearsal=True))
    assert nowhere.find_begun(context(NEW)) is None


def test_the_only_version_stays() -> None:
    """Undo says why."""
    model = Model()
    here = stage(model)
    assert isinstance(here.undo(here.make(context(OLD))), NotUndone)


def test_a_held_version_is_found_only_by_a_run_that_holds() -> None:
    """Without ``--hold`` the same version is still to be switched to."""
    model = deployed(OLD)
    here = stage(model)
    holding = replace(here, hold=True)
    assert "switch" in here.plan()
    assert "switch" not in holding.plan()
    made = holding.make(context(NEW))
    assert holding.find(context(NEW)) == made
    assert here.find(context(NEW)) is None


def test_an_image_that_the_release_does_not_have() -> None:
    """The message lists those that it has."""
    with pytest.raises(ConfigError, match="the service web runs the image 'api', and this release has: web, tool"):
        stage(Model(), image="api").make(context(NEW))


def test_a_rehearsal_without_haproxy_leaves_it_out() -> None:
    """It says so, and nothing is found or undone."""
    warned: list[str] = []
    here = stage(Model(), ports=NoService(why="haproxy is not installed here", rehearsal=True))
    assert here.find(context(NEW)) is None
    made = here.make(context(NEW, warned))
    assert made.left_out == ("haproxy is not installed here",)
    assert warned == ["the service web is left out: haproxy is not installed here"]
    assert here.undo(made) == Undone("the service web was left out")


def test_a_machine_without_the_proxy_is_an_error() -> None:
    """Nothing counts as deployed there, and the next step names the world file."""
    here = stage(Model(), ports=NoService(why="this machine has no proxy"))
    for act in (here.find, here.make):
        with pytest.raises(ConfigError, match="cannot reach the service web: this machine has no proxy") as caught:
            act(context(NEW))
        assert "[proxy.web]" in caught.value.next_step
