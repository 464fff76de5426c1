"""Addresses: which are accepted, which are refused, and that no reason quotes a password."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unmoor.config.addresses import (
    checked_address,
    folder_address,
    git_remote,
    is_loopback,
    issuer_address,
    page_address,
    root_address,
)

CANARY = "canary-7f3a"


def reason_against(check: Callable[[str], str], text: str) -> str:
    """Check text that must be refused, and return the reason."""
    with pytest.raises(ValueError, match=r"\w") as raised:
        check(text)
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "folder", "root"),
    [
        ("https://example.org", "https://example.org/", "https://example.org"),
        ("https://Example.ORG:8443/Simple", "https://example.org:8443/Simple/", "https://example.org:8443/Simple"),
        ("http://127.0.0.1:80/a/", "http://127.0.0.1:80/a/", "http://127.0.0.1:80/a"),
        ("http://localhost:1//", "http://localhost:1/", "http://localhost:1"),
        ("http://[::1]:1/x", "http://[::1]:1/x/", "http://[::1]:1/x"),
    ],
)
def test_slashes_are_put_right(text: str, folder: str, root: str) -> None:
    """A folder ends in one slash, a root in none. The host becomes lower case, the path does not change."""
    assert (folder_address(text), root_address(text)) == (folder, root)


CREDENTIALS = "an address must not contain credentials; set password or token instead"
PLAIN = "expected an address such as https://example.org/simple/: plain ASCII, without spaces, ? and #"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"https://user:{CANARY}@example.org/", CREDENTIALS),
        (f"https://{CANARY}@example.org/", CREDENTIALS),
        (f"ftp://user:{CANARY}@example.org/", CREDENTIALS),
        (f"http://127.0.0.1:80@{CANARY}.org/", CREDENTIALS),
        (f"https://example.org/?token={CANARY}", PLAIN),
        (f"https://example.org/#{CANARY}", PLAIN),
        (f"https://example.org\\@{CANARY}/", CREDENTIALS),
        ("https://example.org/a b", PLAIN),
        ("https://example.org/\n", PLAIN),
        ("https://exa\tmple.org/", PLAIN),
        ("ftp://example.org/", PLAIN),
        ("example.org", PLAIN),
        ("//example.org/", PLAIN),
        ("https:///x", PLAIN),
        ("https://", PLAIN),
        ("https://-x.org/", PLAIN),
        ("https://\uff11\uff12\uff17.0.0.1/", PLAIN),
        ("https://example.org:0/", "the port must be from 1 to 65535"),
        ("https://example.org:70000/", "the port must be from 1 to 65535"),
        ("https://[::::]/", "the part in brackets is not an IPv6 address"),
        ("http://example.org/", "http is for loopback addresses only; use https for example.org"),
        ("http://127.0.0.1.example.org/", "http is for loopback addresses only; use https for 127.0.0.1.example.org"),
        ("http://127.1/", "http is for loopback addresses only; use https for 127.1"),
        ("http://2130706433/", "http is for loopback addresses only; use https for 2130706433"),
        ("http://0.0.0.0/", "http is for loopback addresses only; use https for 0.0.0.0"),
        ("http://localhost.example.org/", "http is for loopback addresses only; use https for localhost.example.org"),
        ("http://[::2]/", "http is for loopback addresses only; use https for [::2]"),
    ],
)
def test_refused_addresses(text: str, reason: str) -> None:
    """Each refusal has its reason, and quotes nothing but the host of a plain address."""
    assert reason_against(checked_address, text) == reason
    assert CANARY not in reason


FRAGMENTS = st.sampled_from(
    [
        "http",
        "https",
        "://",
        ":",
        "//",
        "/",
        "@",
        "127.0.0.1",
        "localhost",
        "[::1]",
        "example.org",
        "evil",
        "80",
        "?",
        "#",
        "\\",
        "\t",
        "\n",
        " ",
        ".",
        "%2f",
        "\u3002",
        "\uff0f",
        "user",
        "pass",
        "0x7f.1",
        "[",
        "]",
        "{project}",
    ]
)


@given(st.one_of(st.lists(FRAGMENTS, max_size=9).map("".join), st.text(max_size=40)))
@example("http://127.0.0.1@example.org/")
@example("http://example.org\\@127.0.0.1/")
def test_the_standard_parser_agrees_on_accepted_addresses(text: str) -> None:
    """The standard parser, too, finds in an accepted address a host, no credentials, and https or loopback."""
    try:
        address = checked_address(text)
    except ValueError:
        return
    parts = urlsplit(address)
    assert parts.scheme in {"http", "https"}
    assert parts.hostname
    assert parts.username is None
    assert parts.password is None
    assert not parts.query
    assert not parts.fragment
    if parts.scheme == "http":
        assert parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname).is_loopback
    assert checked_address(address) == address


@given(st.ip_addresses())
def test_loopback_agrees_with_the_standard_library(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """For any numeric host the answer is that of ``ipaddress``, except for IPv4-mapped IPv6 addresses."""
    host = f"[{address}]" if address.version == 6 else str(address)
    mapped = getattr(address, "ipv4_mapped", None) is not None
    assert is_loopback(f"http://{host}:1/") == (address.is_loopback and not mapped)


@given(st.integers(min_value=0x7F000000, max_value=0x7FFFFFFF).map(ipaddress.IPv4Address))
def test_the_whole_loopback_block(address: ipaddress.IPv4Address) -> None:
    """All of 127.0.0.0/8 is this machine."""
    assert is_loopback(f"http://{address}/")


@pytest.mark.parametrize(
    "text",
    ["https://example.org/p/{project}/{version}/", "http://127.0.0.1:1/{project}", "https://example.org/plain"],
)
def test_pages(text: str) -> None:
    """A page may name the project and the version."""
    assert page_address(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "https://e.org/{x}",
        "https://e.org/{project!r}",
        "https://e.org/{project.a}",
        "https://e.org/{0}",
        "https://e.org/{",
        "https://e.org/{{project}}",
        "https://e.org/{project:>9}",
        "http://e.org/{project}",
        "https://{project}@e.org/",
    ],
)
def test_refused_pages(text: str) -> None:
    """Braces may contain only the two plain names, and the rest must be an address."""
    assert reason_against(page_address, text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://127.0.0.1:1/token/{tag}", "http://127.0.0.1:1/token/{tag}"),
        ("https://example.org/{tag}/token/", "https://example.org/{tag}/token"),
        ("https://example.org/issue", "https://example.org/issue"),
    ],
)
def test_issuers(text: str, address: str) -> None:
    """The address of an issuer may name the tag."""
    assert issuer_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        *("https://e.org/{project}", "https://e.org/{tag!r}", "https://e.org/{tag.a}", "https://e.org/{", "{tag}"),
        *("https://{tag}/issue", "https://{tag}.e.org/issue", "https://e.org:{tag}/issue", "https://{tag}@e.org/issue"),
        *("http://e.org/{tag}", "https://e.org/?ref={tag}"),
    ],
)
def test_refused_issuers(text: str) -> None:
    """A tag may only be in the path: it never decides who gets the token for the request."""
    assert reason_against(issuer_address, text)


@pytest.mark.parametrize(
    "text",
    [
        "origin",
        "my/remote",
        "/srv/git/x y.git",
        r"C:\Users\Jane Doe\demo\.unmoor\rehearsal\remote.git",
        "d:/Größe/x y.git",
        r"\\server\share\x y.git",
        r"\\wsl.localhost\Ubuntu\home\me\x.git",
        "https://example.org/o/n.git",
        "http://127.0.0.1:1/o/n",
        "git@host:o/n.git",
        "ssh://git@example.org:22/o/n.git",
        "git+ssh://example.org/o",
        "file:///srv/x",
        "host.example.org:o/n",
    ],
)
def test_git_remotes(text: str) -> None:
    """Names, absolute paths and plain addresses are accepted unchanged."""
    assert git_remote(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-x",
        "--upload-pack=touch x",
        "ext::sh -c id",
        "fd::1",
        "../x",
        "a/../b",
        "./x",
        "http://example.org/x",
        "a b",
        f"https://u:{CANARY}@e.org/x",
        f"https://{CANARY}@e.org/x",
        f"ssh://u:{CANARY}@e.org/x",
        "ssh://-oProxyCommand=x/y",
        "git://e.org/x",
        "host:-x",
        "-u@host:x",
        "/a\nb",
        "C:\\a\nb",
        "C:a b",
        "\\a b",
        "origin\n",
        "x://y",
    ],
)
def test_refused_git_remotes(text: str) -> None:
    """Refuses what git would read as an option or a program to run, and addresses with a password."""
    assert CANARY not in reason_against(git_remote, text)
