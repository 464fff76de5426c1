"""Addresses: what is safe to print, and which links are safe to follow."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmoor.adapters.http.urls import may_be_loopback, origin, resolve_link, without_query
from unmoor.errors import Unknown


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://me:secret@example.org:8443/a/b?token=x#y", "https://example.org:8443/a/b"),
        ("https://EXAMPLE.org", "https://example.org"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("https://example.org/a\x1b[31mb", "https://example.org/a b"),
        ("http://[broken/", "an invalid address"),
        ("http://example.org:port/", "an invalid address"),
    ],
)
def test_without_query(url: str, expected: str) -> None:
    """The printed address has neither credentials nor a query."""
    assert without_query(url) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://example.org/a", "https://EXAMPLE.org:443/b?c", True),
        ("http://example.org/", "http://example.org:80/", True),
        ("https://example.org/", "http://example.org/", False),
        ("https://example.org/", "https://example.org:8443/", False),
        ("https://example.org/", "https://www.example.org/", False),
    ],
)
def test_origins(*, one: str, other: str, same: bool) -> None:
    """Scheme, host and port are compared, however they are written."""
    assert (origin(one) == origin(other)) is same


@pytest.mark.parametrize(
    ("base", "reference", "expected"),
    [
        ("https://example.org/simple/a/", "../../f/a.whl#sha256=x", "https://example.org/f/a.whl"),
        ("https://example.org/simple/a/", "https://files.example.net/a.whl", "https://files.example.net/a.whl"),
        ("http://127.0.0.1:1/", "http://127.0.0.1:2/a", "http://127.0.0.1:2/a"),
        ("http://127.0.0.1:1/", "//example.org/a", "http://example.org/a"),
        ("http://example.org/", "https://example.org/", "https://example.org/"),
    ],
)
def test_links_that_are_followed(base: str, reference: str, expected: str) -> None:
    """Links may be relative, lead to another host, and go from http to https."""
    assert resolve_link(base, reference) == expected


@pytest.mark.parametrize(
    ("base", "reference", "words"),
    [
        ("https://example.org/", "http://example.org/", "from https to plain http"),
        ("https://example.org/", "https://127.0.0.1/", "on this machine"),
        ("http://example.org/", "http://localhost.:8000/", "on this machine"),
        ("http://example.org/", "http://[::ffff:127.0.0.1]/", "on this machine"),
        ("http://example.org/", "http://0.0.0.0/", "on this machine"),
        ("http://example.org/", "file:///etc/passwd", "not a plain"),
        ("http://example.org/", "javascript:alert(1)", "not a plain"),
        ("http://example.org/", "http://a@b/", "not a plain"),
        ("http://example.org/", "http://a\\@b/", "not a plain"),
        ("http://example.org/", "http://[oops/", "not a plain"),
        ("http://example.org/", "x" * 9000, "not a plain"),
    ],
)
def test_links_that_are_never_followed(base: str, reference: str, words: str) -> None:
    """Refuses downgrades, links from elsewhere to this machine, other schemes, credentials and ambiguous characters."""
    with pytest.raises(Unknown, match=words):
        resolve_link(base, reference)


@given(st.text(), st.text())
def test_any_text_is_an_address_or_unknown(base: str, reference: str) -> None:
    """Any text resolves or raises `Unknown`, and its printed form is printable."""
    assert without_query(reference).isprintable()
    for start in (base, "https://example.org/a"):
        with suppress(Unknown):
            assert resolve_link(start, reference).startswith(("http://", "https://"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.9.9.9/", True),
        ("http://LOCALHOST:1/", True),
        ("http://a.localhost/", True),
        ("http://[::1]/", True),
        ("http://example.org/", False),
        ("http://10.0.0.1/", False),
    ],
)
def test_this_machine(*, url: str, expected: bool) -> None:
    """Recognizes this machine by name and by number."""
    assert may_be_loopback(url) is expected
