"""This machine by a strict answer and by a wary one: what the strict one believes, the wary one does too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmoor.util.loopback import is_loopback, may_be_loopback


@pytest.mark.parametrize(
    ("host", "strict", "wary"),
    [
        ("localhost", True, True),
        ("LOCALHOST", True, True),
        ("127.0.0.1", True, True),
        ("127.9.9.9", True, True),
        ("::1", True, True),
        ("[::1]", True, True),
        ("localhost.", False, True),
        ("x.localhost", False, True),
        ("x.localhost.", False, True),
        ("127.0.0.1.", False, True),
        ("0.0.0.0", False, True),  # noqa: S104 - nothing is bound
        ("::", False, True),
        ("::ffff:127.0.0.1", False, True),
        ("[::ffff:0.0.0.0]", False, True),
        ("127.1", False, False),
        ("0x7f000001", False, False),
        ("2130706433", False, False),
        ("localhost.example.org", False, False),
        ("127.0.0.1.example.org", False, False),
        ("notlocalhost", False, False),
        ("10.0.0.1", False, False),
        ("::2", False, False),
        ("::ffff:10.0.0.1", False, False),
        ("example.org", False, False),
        ("", False, False),
    ],
)
def test_hosts(host: str, *, strict: bool, wary: bool) -> None:
    """Names and numbers; what only some systems take for this machine is never trusted."""
    assert (is_loopback(host), may_be_loopback(host)) == (strict, wary)


@given(st.ip_addresses().map(str) | st.text())
def test_the_wary_answer_holds_the_strict_one(host: str) -> None:
    """Whatever the host."""
    assert may_be_loopback(host) or not is_loopback(host)
