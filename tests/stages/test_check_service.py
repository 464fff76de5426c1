"""The stage ``check-service`` finds before anything is sent what a deployment would fail of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from tests.support.sample_values import sample_release
from tests.support.service_model import OLD, PORTS, Model, deployed

from unmoor.config.service import ServiceSettings
from unmoor.core.stage import Output, StageContext
from unmoor.deploy.service.stage_parts import ServiceSetup
from unmoor.errors import CheckFailed, ConfigError, Refused, UnmoorError
from unmoor.ports.deployers import NoService, ServicePorts
from unmoor.products import Image, Images, Release
from unmoor.products.deployment import CheckedServices
from unmoor.stages.check_service import CheckService

RELEASE = sample_release()
RELEASED: Output[Release] = Output("tag")
IMAGES: Output[Images] = Output("images")
BUILT = Images(images=(Image(name="ghcr.io/acme/demo", target="web", platform="linux/amd64", id=OLD, size=1),))


def check(
    model: Model,
    *,
    policy: Literal["required", "advisory"] = "required",
    ports: ServicePorts | NoService | None = None,
    images: Output[Images] | None = IMAGES,
) -> tuple[list[str], list[str]]:
    """Run the stage. Returns what it said and what it warned of."""
    said: list[str] = []
    warned: list[str] = []
    setup = ServiceSetup(
        name="web",
        project="acme/demo",
        settings=ServiceSettings(port=8000, slots=dict(PORTS), image="web", policy=policy),
        opened=lambda _name, _slots, _check: ports or ServicePorts(proxy=model.proxy, host=model.host, slots=PORTS),
        clock=model.clock,
    )
    stage = CheckService(release=RELEASED, images=images, setups=(setup,))
    assert "web" in stage.plan()
    before = model.fuse.changes
    context = StageContext({RELEASED.by: RELEASE, IMAGES.by: BUILT}, say=said.append, warn=warned.append)
    assert stage.make(context) == CheckedServices(services=("web",))
    assert model.fuse.changes == before
    return said, warned


def test_a_service_that_is_ready() -> None:
    """It says which version serves, and changes nothing."""
    assert check(deployed(OLD)) == (["the service web serves v1.0 (sha256:111111111111)"], [])


def _taken(model: Model) -> None:
    model.host.taken.add(PORTS["green"])


def _other_port(model: Model) -> None:
    model.proxy.ports["green"] = 80


def _no_check(model: Model) -> None:
    model.host.health_check = False


@pytest.mark.parametrize(
    ("spoil", "kind", "says"),
    [
        (_taken, Refused, "port 9102 of the slot green is taken"),
        (_other_port, ConfigError, "green is at 127.0.0.1:80, expected 127.0.0.1:9102"),
        (_no_check, CheckFailed, "the image web for linux/amd64 .* has no health check"),
    ],
    ids=["taken", "backend", "health check"],
)
def test_what_would_fail_later(spoil: Callable[[Model], None], kind: type[UnmoorError], says: str) -> None:
    """It fails now; for an advisory service it is a warning."""
    model = deployed(OLD)
    spoil(model)
    with pytest.raises(kind, match=says):
        check(model)
    _said, warned = check(model, policy="advisory")
    assert len(warned) == 1


def test_what_cannot_be_checked_here() -> None:
    """A machine without the proxy, a run without images and a proxy without a state file are warnings."""
    model = deployed(OLD)
    assert check(model, ports=NoService(why="no proxy"))[1] == ["the service web is not checked: no proxy"]
    assert check(model, images=None)[1] == ["the service web is left out: this run has no images"]
    model.proxy.state_file = ""
    assert "has no state file: if HAProxy restarts" in check(model)[1][0]
