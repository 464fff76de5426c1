"""A rehearsal has its own addresses: of a configured one, only the service counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from unmoor.rehearsal.announce.targets import LocalTarget, caught, name_of

CHAT, MAIL = "http://127.0.0.1:4001", "http://127.0.0.1:4002"


@pytest.mark.parametrize(
    ("address", "kind", "local"),
    [
        ("slack://TokenA/TokenB/Secret", "slack", "slack://T00000003/B00000003/aa"),
        ("SLACK://x", "slack", "slack://T00000003/B00000003/aa"),
        ("discord://1/Secret", "discord", "discord://3/aa"),
        (
            "mailtos://me:Secret@example.org?to=a@example.org",
            "mail",
            "mailto://127.0.0.1:4002?from=unmoor%40rehearsal.invalid&to=team%40rehearsal.invalid&mode=insecure",
        ),
        ("tgram://Secret/1", "json", "json://unmoor:aa@127.0.0.1:4001/json/3"),
        ("", "json", "json://unmoor:aa@127.0.0.1:4001/json/3"),
    ],
)
def test_addresses(address: str, kind: str, local: str) -> None:
    """Nothing of the real address is in the local one, which is on this machine or goes to its stand-in."""
    target = LocalTarget.of("team", address)
    assert target == LocalTarget(name="team", kind=kind)
    assert LocalTarget.parse(target.argument) == target
    made = target.address(3, token="aa", chat=CHAT, mail=MAIL)
    assert made == local
    assert "Secret" not in made


@pytest.mark.parametrize("text", ["team", "team=", "team=pager", "Team=slack", "=slack", "team=slack\n"])
def test_odd_arguments(text: str) -> None:
    """Are refused."""
    with pytest.raises(ValueError, match="NAME=KIND"):
        LocalTarget.parse(text)


@pytest.mark.parametrize(
    ("recipient", "name"), [("Team@Rehearsal.invalid", "team"), ("team@example.org", ""), ("team", "")]
)
def test_recipients(recipient: str, name: str) -> None:
    """Only those of a local world are known."""
    assert name_of(recipient) == name


def test_nothing_caught(tmp_path: Path) -> None:
    """A world without announcements has no file for them."""
    assert caught(tmp_path) == ()
