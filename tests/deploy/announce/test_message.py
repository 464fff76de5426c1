"""What messages say: harmless, short enough, and with the address or the command even if the notes are cut."""

from __future__ import annotations

import pytest

from unmoor.deploy.announce.message import TargetLimits, failed, fit, released, without_mentions
from unmoor.notes.announced import Marker, MarkerState, ReleaseEvent
from unmoor.ports.announcer import Message

PAGE = "https://forge.invalid/acme/demo/releases/tag/v1.0"
MARKER = Marker(
    event=ReleaseEvent.RELEASED, target="chat", state=MarkerState.SENT, time="2026-01-31T12:00:00Z", run="ab"
)
BODY = (
    "# 1.0\r\n\r\n<!-- hidden\nwords -->- New: ask @everyone\n\x1b[31m- red\n\n\n\n- last\n\n---\n\n"
    f"To verify these files: `unmoor verify`.\n\n{MARKER.line}\n"
)


def test_the_message_of_a_release() -> None:
    """It names project and version, quotes the notes without comments and ending, and closes with the page."""
    title, body = fit(
        released(project="demo", version="1.0", page=PAGE, notes=BODY), TargetLimits(title=200, body=5000)
    )
    assert title == "demo 1.0 is released"
    assert body == f"demo 1.0 is released.\n\n# 1.0\n\n- New: ask @\u200beveryone\n- red\n\n- last\n\n{PAGE}"


def test_the_message_of_a_failure() -> None:
    """It says what failed, what is public, and the command that resumes."""
    message = failed(
        project="demo",
        version="1.0",
        why=["docs: push lost to\na race", "space: <!channel> is paused"],
        is_public=f"The release is public: {PAGE}",
        command="unmoor release v1.0",
    )
    title, body = fit(message, TargetLimits(title=200, body=5000))
    assert title == "The release of demo 1.0 failed"
    assert body == (
        "The release of demo 1.0 failed.\n\ndocs: push lost to a race\nspace: <\u200b!channel> is paused\n\n"
        f"The release is public: {PAGE}\nTo continue: unmoor release v1.0"
    )


@pytest.mark.parametrize(
    "text", ["@everyone", "@here", "<!channel>", "<@U123>", "<#C123>", "<@&42>", "<at>all</at>", "@room hi", "</at>"]
)
def test_mentions_are_broken(text: str) -> None:
    """No service finds one, and a reader sees the same."""
    broken = without_mentions(text)
    assert broken != text
    assert broken.replace("\u200b", "") == text
    assert "@\u200b" in broken or "<\u200b" in broken


@pytest.mark.parametrize("text", ["a < b", "1 @ 2", "mail@", "a <- b"])
def test_other_text_stays(text: str) -> None:
    """A sign that begins no mention is not touched, so commands can be pasted."""
    assert without_mentions(text) == text


LONG = Message(title="t" * 30, opening="opening", middle="\n".join(["x" * 9] * 50), closing=PAGE)


@pytest.mark.parametrize(
    "limits",
    [
        TargetLimits(title=250, body=2000),
        TargetLimits(title=10, body=300),
        TargetLimits(title=0, body=160),
        TargetLimits(title=250, body=70),
        TargetLimits(title=250, body=40),
        TargetLimits(title=250, body=3),
        TargetLimits(title=250, body=2000, lines=8),
        TargetLimits(title=0, body=2000, lines=4),
    ],
    ids=lambda each: f"{each.title}-{each.body}-{each.lines}",
)
def test_a_message_fits_its_target(limits: TargetLimits) -> None:
    """The middle gives way first; the page stays as long as there is any room for it."""
    title, body = fit(LONG, limits)
    whole = len(body) + (len(title) + 2 if limits.title == 0 else 0)
    assert whole <= limits.body
    assert limits.title == 0 or len(title) <= limits.title
    assert (PAGE in body) is (limits.body >= 70)
    assert not limits.lines or body.count("\n") < limits.lines


def test_long_notes_are_cut() -> None:
    """Whatever a target takes, a message has at most 8,000 characters of notes."""
    notes = "\n".join(f"- change {number} @all" for number in range(5_000))
    _, body = fit(released(project="demo", version="1.0", page=PAGE, notes=notes), TargetLimits(title=250, body=10**6))
    assert len(body) < 8_300
    assert body.endswith(f"…\n\n{PAGE}")
