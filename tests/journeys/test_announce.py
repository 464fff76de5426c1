"""``unmoor announce`` as a command, in a local world, killed while it sends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator

import psutil
import pytest
from tests.support.local_forge import place_at
from tests.support.local_release import UNMOOR, LocalRelease, small_repo
from tests.support.sample_values import FakeClock

from unmoor.adapters.forge import GitHubForge
from unmoor.adapters.http.session import BoundedSession
from unmoor.notes.announced import MarkerState, read_markers
from unmoor.ports.forge import ForgeRelease
from unmoor.rehearsal import local
from unmoor.rehearsal.announce.targets import caught
from unmoor.rehearsal.faults import control

pytestmark = pytest.mark.journey

TARGETS = '\n[tool.unmoor.announce]\ntargets = { chat = "CHAT_URL", mail = "MAIL_URL" }\n'


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRelease]:
    """A project that announces, and a world that catches."""
    folder = tmp_path_factory.mktemp("announce")
    repo = small_repo(folder / "small")
    pyproject = repo.path / "pyproject.toml"
    pyproject.write_text(pyproject.read_text("utf-8") + TARGETS, "utf-8")
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "--message=Announce")
    repo.git("tag", "--force", "v1.0")
    with local.start(
        folder / "world", repository="acme/small", checkout=repo.path, announce=["chat=slack", "mail=mail"]
    ):
        yield LocalRelease(repo=repo, world=folder / "world")


def forge_of(at: LocalRelease, http: BoundedSession) -> GitHubForge:
    """The forge of the world, for its owner."""
    token = json.loads((at.world / "credentials.json").read_text("utf-8"))["forge"]
    root = re.findall(r'site = "([^"]+)"', at.world_file.read_text("utf-8"))[0]
    return GitHubForge(place_at(root, token=token, repository="acme/small"), http, FakeClock())


def read_release(at: LocalRelease) -> ForgeRelease:
    """The release as it is on the forge."""
    with BoundedSession() as http:
        return forge_of(at, http).releases("v1.0")[0]


def announce(at: LocalRelease, *args: str) -> subprocess.CompletedProcess[str]:
    """Run the command, and check that it shows no address."""
    ran = at.unmoor("announce", "--world", str(at.world_file), *args, "v1.0")
    secret = json.loads((at.world / "credentials.json").read_text("utf-8"))["announce"]
    assert secret not in ran.stdout + ran.stderr
    assert "://T0" not in ran.stdout + ran.stderr
    return ran


def counts(at: LocalRelease) -> dict[str, int]:
    """How many messages each target has caught."""
    found = [each.target for each in caught(at.world)]
    return {name: found.count(name) for name in ("chat", "mail")}


def publish(at: LocalRelease) -> None:
    """Make the release public, without files."""
    with BoundedSession() as http:
        forge = forge_of(at, http)
        commit = at.repo.git("rev-parse", "HEAD")
        notes = "- It floats, @everyone.\n"
        draft = forge.draft(tag="v1.0", target=commit, name="v1.0", body=notes, prerelease=False)
        forge.publish(draft, prerelease=False, latest=True)


def kill_while_it_sends(at: LocalRelease) -> None:
    """Kill the command when the mail is out and the chat does not answer."""
    control.inject(at.world, "silent@announce:POST =/slack/*#1x0")
    killed = subprocess.Popen(
        [str(UNMOOR), "announce", "--world", str(at.world_file), "v1.0"],
        cwd=at.repo.path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ),
    )
    deadline = time.monotonic() + 60
    while not counts(at)["mail"] and time.monotonic() < deadline:
        time.sleep(0.05)
    children = psutil.Process(killed.pid).children(recursive=True)
    killed.kill()
    killed.wait()
    _, left = psutil.wait_procs(children, timeout=20)
    assert not left
    control.clear(at.world)


def test_killed_while_it_sends_it_is_unknown_and_sent_again_on_request(at: LocalRelease) -> None:
    """Not before it is public; after the kill no run repeats it by itself; and then it is known to be sent."""
    early = announce(at)
    assert early.returncode == 12
    assert "v1.0 is not public" in early.stderr
    assert "unmoor release" in early.stderr
    publish(at)
    kill_while_it_sends(at)
    assert [each.state for each in read_markers(read_release(at).body)] == [MarkerState.SENDING] * 2
    later = announce(at)
    assert later.returncode == 12
    assert later.stdout.count("whether the message was sent is unknown") == 2
    assert "unmoor announce v1.0 --again chat --again mail" in later.stderr
    assert counts(at) == {"chat": 0, "mail": 1}
    again = announce(at, "--again", "chat", "--again", "mail")
    assert again.returncode == 0, again.stderr
    assert re.fullmatch(
        r"chat: released: the message was sent, \S+Z\nmail: released: the message was sent, \S+Z\n", again.stdout
    )
    assert counts(at) == {"chat": 1, "mail": 2}
    assert {each.text.count("@\u200beveryone") for each in caught(at.world)} == {1}
    shown = announce(at, "--show", "--json")
    assert [(each["target"], each["event"], each["result"]) for each in json.loads(shown.stdout)["messages"]] == [
        ("chat", "released", "sent"),
        ("mail", "released", "sent"),
    ]
