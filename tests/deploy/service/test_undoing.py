"""Undo starts the former container, switches to it and stops the present one."""

from __future__ import annotations

import pytest
from tests.support.service_model import NEW, OLD, deployed

from unmoor.core.stage import NotUndone, Undone
from unmoor.deploy.service.steps import serves
from unmoor.deploy.service.undoing import undo
from unmoor.errors import CheckFailed


def test_the_former_version_serves_again() -> None:
    """It is not watched again, the undone one is stopped, and the same release can be deployed again."""
    model = deployed(OLD, NEW, monitor=300.0)
    begun = model.clock.now()
    assert undo(model.deployer(), NEW) == Undone("the service web serves v1.0 (sha256:111111111111) again")
    assert model.clock.now() - begun < 10
    assert model.proxy.users() == {OLD}
    assert not serves(model.service.look(), NEW)
    model.deploy(NEW)
    assert model.proxy.users() == {NEW}


def test_without_a_former_version_it_keeps_serving() -> None:
    """A service is not taken down, for nothing would serve its users."""
    model = deployed(OLD)
    answer = undo(model.deployer(), OLD)
    assert isinstance(answer, NotUndone)
    assert "has no former version here: acme-demo-web-blue keeps serving v1.0" in answer.why
    assert model.proxy.users() == {OLD}


def test_a_held_version_is_stopped() -> None:
    """What serves stays as it is."""
    model = deployed(OLD)
    model.deploy(NEW, hold=True)
    answer = undo(model.deployer(), NEW)
    assert answer == Undone("the service web serves v1.0 (sha256:111111111111), and acme-demo-web-green was stopped")
    assert not model.host.found["acme-demo-web-green"].running
    assert undo(model.deployer(), NEW) == Undone("the service web serves v1.0 (sha256:111111111111)")


def test_a_killed_undo_converges() -> None:
    """Killed at each change, the same undo ends where an undisturbed one ends: nothing of the release runs."""
    straight = deployed(OLD, NEW)
    undo(straight.deployer(), NEW)
    for at in range(1, 30):
        model = deployed(OLD, NEW)
        killed = model.killed(lambda model=model: undo(model.deployer(), NEW), at)  # type: ignore[misc]
        assert model.proxy.users()
        assert isinstance(undo(model.deployer(), NEW), Undone)
        assert model.proxy.admin == straight.proxy.admin, at
        assert model.proxy.users() == {OLD}
        assert not model.host.found["acme-demo-web-green"].running
        if not killed:
            assert at > 5
            return
    pytest.fail("the undo never ended")


def test_a_deployment_that_was_killed_is_taken_back() -> None:
    """Wherever it was killed, undo leaves the former version serving, and the release can be deployed again."""
    for at in range(1, 30):
        model = deployed(OLD)
        killed = model.killed(lambda model=model: model.deploy(NEW), at)  # type: ignore[misc]
        assert isinstance(undo(model.deployer(), NEW), Undone)
        assert model.proxy.users() == {OLD}
        assert all(not each.running for each in model.host.found.values() if each.labels.digest == NEW)
        model.deploy(NEW)
        assert model.proxy.users() == {NEW}
        if not killed:
            assert at > 8
            return
    pytest.fail("the deployment never ended")


def test_a_former_version_that_does_not_come_up() -> None:
    """The present one serves as before."""
    model = deployed(OLD, NEW)
    model.host.unfit.add(OLD)
    with pytest.raises(CheckFailed, match=r"web-blue is unhealthy.*v2.0 .* serves as before"):
        undo(model.deployer(), NEW)
    assert model.proxy.users() == {NEW}
