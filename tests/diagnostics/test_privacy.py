"""What a report must not show: secrets, logins in addresses, the home and the name of the user."""

from __future__ import annotations

from pathlib import Path

import pytest

from unmoor.diagnostics.privacy import redaction
from unmoor.util.secret import Secret

HOME = Path("/home/alice").absolute()
ENVIRON = {
    "HOME": str(HOME),
    "USERPROFILE": str(HOME),
    "USER": "alice",
    "ACME_TOKEN": "hunter2-hunter2",
    "EMPTY_TOKEN": "",
}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"in {HOME / 'src'}", f"in {Path('~', 'src')}"),
        (f"({HOME})", "(~)"),
        (f"{HOME}x", f"{HOME}x"),
        ("/tmp/alice/x", "/tmp/USER/x"),
        ("malice and alices", "malice and alices"),
        ("https://alice:pw@host/simple", "https://host/simple"),
        ("https://host/?token=hunter2-hunter2", "https://host/?token=***"),
        ("the given one", "the *** one"),
        ("by bob-the-builder", "by USER"),
        ("~/.cache", "~/.cache"),
        ("https://host/acme/plans: gone", "https://host/OWNER/NAME: gone"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    """The rest of a text stays as it is."""
    redact = redaction(
        ENVIRON, secrets=[Secret("given")], users=["bob-the-builder", "__token__"], repository="acme/plans"
    )
    assert redact(text) == shown


def test_names_that_many_machines_have_stay() -> None:
    """The account of a container says nothing about a person, and a home at the root is no home."""
    redact = redaction({"HOME": "/", "USERPROFILE": "/", "USER": "root"})
    assert redact("root in /root and /") == "root in /root and /"
