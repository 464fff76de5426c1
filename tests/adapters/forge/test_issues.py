"""Issues of the local world's forge, and the one that a command keeps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.local_forge import LocalForge, start_forge

from unmoor.adapters.forge.issues import GitHubIssues
from unmoor.errors import Denied, Rejected
from unmoor.ports.issues import Kept, keep_one, one_of
from unmoor.util.secret import Secret
from unmoor.util.values import replace

MARKER = "<!-- a test -->"


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """A world with a forge."""
    with start_forge(tmp_path_factory.mktemp("issues")) as running:
        yield running


def issues(at: LocalForge, token: str | None = None) -> GitHubIssues:
    """The adapter, with the token that may push unless another one is given."""
    login = at.place.login if token is None else replace(at.place.login, secret=Secret(token))
    return GitHubIssues(replace(at.place, login=login), at.http, at.clock)


def stored(at: LocalForge, *found: dict[str, Any]) -> None:
    """Let the forge have these issues."""
    folder = at.world / "forge"
    folder.mkdir(exist_ok=True)
    (folder / "issues.json").write_text(json.dumps([{"title": "A title", **each} for each in found]))


def keep(at: LocalForge, title: str, *, is_needed: bool, token: str | None = None) -> Kept:
    """Keep one issue, as a command does in each run."""
    adapter = issues(at, token)
    before = one_of(adapter.own(MARKER))
    return keep_one(adapter, before, title=title, body=f"{MARKER}\n{title}", is_needed=is_needed)[1]


@pytest.mark.parametrize("token", ["forge", "installation"])
def test_one_issue_is_opened_updated_closed_and_opened_again(at: LocalForge, token: str) -> None:
    """Whoever the token belongs to, there is never a second one, and nothing is sent if nothing changes."""
    stored(at)
    secret = json.loads((at.world / "credentials.json").read_text())[token]
    steps = [
        keep(at, "Nothing yet", is_needed=False, token=secret),
        keep(at, "One", is_needed=True, token=secret),
        keep(at, "One", is_needed=True, token=secret),
        keep(at, "Two", is_needed=True, token=secret),
        keep(at, "Over", is_needed=False, token=secret),
        keep(at, "Over", is_needed=False, token=secret),
        keep(at, "Three", is_needed=True, token=secret),
    ]
    assert steps == [
        Kept.NOT_NEEDED,
        Kept.OPENED,
        Kept.UNCHANGED,
        Kept.UPDATED,
        Kept.CLOSED,
        Kept.NOT_NEEDED,
        Kept.REOPENED,
    ]
    (found,) = issues(at, secret).own(MARKER)
    assert (found.title, found.is_open) == ("Three", True)
    assert found.url.endswith(f"/acme/demo/issues/{found.number}")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"author": "mallory", "body": f"{MARKER}\nMine"}, id="of somebody else"),
        pytest.param({"author": "mallory[bot]", "bot": True, "body": f"{MARKER}\nMine"}, id="of an app"),
        pytest.param({"author": "rehearsal", "body": f"I quote: {MARKER}"}, id="in the middle"),
        pytest.param({"author": "rehearsal", "body": "Other text"}, id="without it"),
    ],
)
def test_only_an_own_issue_that_begins_with_the_marker_counts(at: LocalForge, other: dict[str, Any]) -> None:
    """Anybody can write the marker into an issue; that one is never changed."""
    stored(at, {"number": 7, **other})
    assert issues(at).own(MARKER) == ()
    assert keep(at, "One", is_needed=True) is Kept.OPENED


def test_of_several_the_first_open_one_is_kept(at: LocalForge) -> None:
    """Two runs at once may open two: from then on both keep the same one."""
    own = {"author": "rehearsal", "body": MARKER}
    stored(at, {"number": 3, "state": "closed", **own}, {"number": 5, **own}, {"number": 6, **own})
    found = one_of(issues(at).own(MARKER))
    assert found is not None
    assert found.number == 5


def test_a_token_that_only_reads_is_denied(at: LocalForge) -> None:
    """The next step names the permission."""
    stored(at)
    with pytest.raises(Denied) as raised:
        keep(at, "One", is_needed=True, token=at.read_token)
    assert raised.value.advice_ids == ("allow-issues",)


def test_a_wrong_token_is_denied_before_anything_is_read(at: LocalForge) -> None:
    """It is not taken for that of an app."""
    with pytest.raises(Denied) as raised:
        issues(at, "wrong").own(MARKER)
    assert raised.value.advice_ids == ("renew-forge-token",)


def test_a_title_is_needed(at: LocalForge) -> None:
    """The forge refuses an issue without one."""
    with pytest.raises(Rejected):
        issues(at).create(title="", body="x")
