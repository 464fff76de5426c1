"""A deployment goes from step to step, converges wherever it was killed, and leaves the former version serving."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.support.service_model import NEW, OLD, PORTS, Model, deployed, wanted

from unmoor.deploy.service.slots import SPARE
from unmoor.deploy.service.steps import is_held, serves
from unmoor.errors import CheckFailed, ConfigError, Denied, Refused, UnmoorError
from unmoor.ports.proxy import Admin
from unmoor.ports.service_host import ServiceContainer
from unmoor.util.values import replace

BLUE, GREEN = "acme-demo-web-blue", "acme-demo-web-green"
MOST_CHANGES = 40


def statuses(model: Model) -> dict[str, str]:
    """The status of each container."""
    return {name: container.status for name, container in model.host.found.items()}


def test_the_first_version_serves() -> None:
    """An empty backend gets it in the first slot, and nothing can reach the second one."""
    model = deployed(OLD)
    assert model.proxy.users() == {OLD}
    assert statuses(model) == {BLUE: "running"}
    assert model.proxy.admin == {
        "blue": Admin.READY,
        "blue" + SPARE: Admin.READY,
        "green": Admin.MAINT,
        "green" + SPARE: Admin.MAINT,
    }
    assert serves(model.service.look(), OLD)


def test_the_next_version_replaces_it() -> None:
    """The former container is stopped and kept, the new one has its own twin, and the engine keeps it running."""
    model = deployed(OLD)
    model.deploy(NEW)
    assert model.proxy.users() == {NEW}
    assert statuses(model) == {BLUE: "exited", GREEN: "running"}
    assert model.host.kept == {GREEN}
    assert model.proxy.admin["green" + SPARE] is Admin.READY
    assert model.proxy.admin["blue" + SPARE] is Admin.MAINT
    assert model.proxy.saved > 0
    before = dict(model.proxy.admin), model.host.starts
    model.deploy(NEW)
    assert (model.proxy.admin, model.host.starts) == before


def test_users_always_reach_a_version_that_was_proven() -> None:
    """After each change of a switch, whatever the user asks for is answered by the former version or the new one."""
    model = deployed(OLD)
    seen: list[set[str]] = []
    burn = model.fuse.burn

    def look() -> None:
        seen.append(model.proxy.users())
        burn()

    model.fuse.burn = look  # type: ignore[method-assign]
    model.deploy(NEW)
    assert {OLD} in seen
    assert set() not in seen
    assert {NEW} == model.proxy.users()


@pytest.mark.parametrize("remembers", [True, False], ids=["state kept", "state lost"])
@pytest.mark.parametrize("restarts", [False, True], ids=["proxy runs", "proxy restarts"])
def test_a_killed_deployment_converges(*, restarts: bool, remembers: bool) -> None:
    """Killed at each change, and the proxy restarted then, the same command ends where an undisturbed one ends."""
    straight = deployed(OLD, NEW)
    for at in range(1, MOST_CHANGES):
        model = deployed(OLD)
        if not model.killed(lambda model=model: model.deploy(NEW), at):  # type: ignore[misc]
            assert at > 8
            return
        assert model.proxy.users(), f"nobody serves after a kill at change {at}"
        if restarts:
            model.proxy.restart(remembers=remembers)
        model.deploy(NEW)
        assert (statuses(model), model.proxy.admin) == (statuses(straight), straight.proxy.admin), at
    pytest.fail("the deployment never ended")


def test_a_killed_undo_converges() -> None:
    """Killed at each change, a second undo ends where an undisturbed one ends: the former version serves."""
    for at in range(1, MOST_CHANGES):
        model = deployed(OLD, NEW)
        killed = model.killed(lambda model=model: model.deploy(OLD), at)  # type: ignore[misc]
        model.deploy(OLD)
        assert model.proxy.users() == {OLD}
        assert statuses(model) == {BLUE: "running", GREEN: "exited"}
        if not killed:
            return
    pytest.fail("the undo never ended")


def test_a_held_version_serves_nobody() -> None:
    """``--hold`` starts and proves it; the same command without it then only switches."""
    model = deployed(OLD)
    model.deploy(NEW, hold=True)
    assert model.proxy.users() == {OLD}
    assert is_held(model.service.look(), NEW)
    assert statuses(model) == {BLUE: "running", GREEN: "running"}
    starts = model.host.starts
    model.deploy(NEW, hold=True)
    model.deploy(OLD)
    assert model.proxy.users() == {OLD}
    model.deploy(NEW)
    assert model.proxy.users() == {NEW}
    assert model.host.starts == starts


def _never_healthy(model: Model) -> None:
    model.host.unfit.add(NEW)


def _bad_smoke(model: Model) -> None:
    model.host.status = 503


def _no_health_check(model: Model) -> None:
    model.host.health_check = False


def _taken_port(model: Model) -> None:
    model.host.taken.add(PORTS["green"])


def _wrong_port(model: Model) -> None:
    model.proxy.ports["green"] = 9999


def _no_twin(model: Model) -> None:
    del model.proxy.ports["green" + SPARE]


@pytest.mark.parametrize(
    ("spoil", "kind", "says"),
    [
        (_never_healthy, CheckFailed, "web-green is unhealthy, by its own health check; v1.0"),
        (_bad_smoke, CheckFailed, "web-green is healthy, but GET /health answers 503 reason; v1.0"),
        (_no_health_check, CheckFailed, "ghcr.io/acme/demo has no health check"),
        (_taken_port, Refused, "port 9102 of the slot green is taken, and no container of web has it"),
        (
            _wrong_port,
            ConfigError,
            "does not fit the service web: green is at 127.0.0.1:9999, expected 127",
        ),
        (_no_twin, ConfigError, "does not fit the service web: green-spare is missing"),
    ],
    ids=["unhealthy", "smoke", "no check", "taken", "port", "no twin"],
)
def test_what_cannot_serve_changes_nothing(spoil: Callable[[Model], None], kind: type[UnmoorError], says: str) -> None:
    """There is one message with a next step, the former version serves, and the new container does not run."""
    model = deployed(OLD)
    spoil(model)
    with pytest.raises(kind, match=says) as caught:
        model.deploy(NEW)
    assert caught.value.next_step
    assert model.host.found[BLUE].running
    assert GREEN not in model.host.found or not model.host.found[GREEN].running
    assert model.proxy.admin["blue"] is Admin.READY


def test_a_corrected_cause_lets_the_same_command_go_on() -> None:
    """A container that was not healthy is started again once its database is back."""
    model = deployed(OLD)
    model.host.unfit.add(NEW)
    with pytest.raises(CheckFailed, match="cannot open the database"):
        model.deploy(NEW)
    model.host.unfit.clear()
    model.deploy(NEW)
    assert model.proxy.users() == {NEW}


def _dies(model: Model) -> None:
    model.host.end(GREEN, 137)


def _fails(model: Model) -> None:
    model.proxy.counted["green"] = {"responses": 100, "failed": 2}


def _breaks(model: Model) -> None:
    model.proxy.counted["green"] = {"responses": 98, "broken": 2}


def _crawls(model: Model) -> None:
    model.proxy.counted["green"] = {"responses": 100, "latency": 501.0}


def _is_down(model: Model) -> None:
    model.proxy.down.add("green")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_dies, "its container ended with code 137"),
        (_fails, r"2 of 100 requests failed \(2.0%\)"),
        (_breaks, r"2 of 100 requests failed \(2.0%\)"),
        (_crawls, "the mean latency is 501 ms"),
        (_is_down, "the proxy calls green down"),
    ],
    ids=["dies", "errors", "no answers", "slow", "down"],
)
def test_a_version_that_fails_while_watched_is_taken_back(spoil: Callable[[Model], None], says: str) -> None:
    """The former one serves again, the new container is stopped, and nothing can reach it any more."""
    model = deployed(OLD, monitor=10.0)
    model.clock.tick = lambda time: spoil(model) if time > 3 and model.proxy.admin["blue"] is Admin.DRAIN else None
    with pytest.raises(CheckFailed, match=f"v2.0 .* was taken back while it was watched: {says}.*v1.0 .* serves again"):
        model.deploy(NEW)
    assert model.proxy.users() == {OLD}
    assert statuses(model) == {BLUE: "running", GREEN: "exited"}
    assert model.proxy.admin["green"] is Admin.MAINT


@pytest.mark.parametrize("remembers", [True, False], ids=["state kept", "state lost"])
def test_a_proxy_that_restarts_is_switched_again(*, remembers: bool) -> None:
    """Its counters begin at 0, and a backend that forgot the switch gets it again within a look."""
    model = deployed(OLD, monitor=10.0)
    model.proxy.counted["green"] = {"responses": 10_000, "failed": 5_000}
    times: list[float] = []

    def tick(time: float) -> None:
        if time > 5 and not times:
            times.append(time)
            model.proxy.restart(remembers=remembers)
        if times:
            model.proxy.counted["green"] = {"responses": 500}

    model.clock.tick = tick
    model.deploy(NEW)
    assert times
    assert model.proxy.users() == {NEW}
    assert any("0 of 500 requests failed" in text for text in model.said)


def test_a_version_without_requests_is_not_praised() -> None:
    """A watch that counted next to nothing ends with a warning."""
    model = deployed(OLD)
    model.deploy(NEW)
    assert model.warned == ["green got 0 requests while it was watched, too few to judge it by"]


def test_a_state_file_that_cannot_be_written_stops_no_change() -> None:
    """The proxy is changed as far as it should be, then the error is raised, and the same command ends well."""
    model = deployed(OLD)
    save, model.proxy.save = model.proxy.save, _full  # type: ignore[method-assign]
    with pytest.raises(Denied, match="no space"):
        model.deployer().deploy(wanted(NEW))
    assert model.proxy.users() == {NEW}
    model.proxy.save = save  # type: ignore[method-assign]
    model.deploy(NEW)
    assert model.proxy.users() == {NEW}


def _full() -> None:
    raise Denied("no space")


def test_a_container_of_other_ports_is_replaced() -> None:
    """If the settings name another port, the same digest goes into the other slot, with the new port."""
    model = deployed(OLD)
    model.host.found[BLUE] = replace(model.host.found[BLUE], inside=80)
    model.deploy(OLD)
    assert model.host.found[GREEN].inside == 8000
    assert model.proxy.users() == {OLD}


def test_a_container_that_ends_at_once_is_started_once() -> None:
    """It is not tried again and again: its exit code and the end of its log are the message."""
    model = deployed(OLD)
    start = model.host.start_again

    def end(container: ServiceContainer) -> None:
        start(container)
        model.host.end(container.name, 3)

    model.host.start_again = end  # type: ignore[method-assign]
    with pytest.raises(CheckFailed, match=r"web-green ended with code 3 .*\n.*\n  cannot open the database"):
        model.deploy(NEW)
    assert model.host.starts == 2
