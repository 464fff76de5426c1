"""Find secrets in the bytes of a file: private keys, and tokens whose form is unmistakable.

A rule has markers, which are searched for first, and a pattern of limited length that must match there: so a scan takes
linear time. What is obviously no secret, such as a token of one repeated letter, is left out. Rules that guess from the
randomness of a text, as those of detect-secrets do, find a false secret in most test suites; so there are none. Results
say where a secret is, never what it is. `unmoor.util.secret_scan` judges single values and lines of an image, where a
false alarm costs less than here, and knows more forms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

import msgspec

OVERLAP = 4096
"""The longest secret, with what has to be around it, in bytes."""

_SAMPLE_WORDS = re.compile(
    rb"example|sample|dummy|fake|secret|token|invalid|placeholder|replace|redacted|changeme|xxxx", re.IGNORECASE
)
_WORD = re.compile(rb"[A-Za-z0-9_-]")
# Bytes before and after the id of an AWS key in which its secret is searched for.
_NEAR = 300
_AWS_SECRET = re.compile(rb"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
# The key of the storage emulator that Microsoft documents.
_EMULATOR = b"Eby8vdM02xNO"
# Random characters repeat themselves less than this.
_LONGEST_RUN = 5
_LEAST_VARIETY = 0.3


class SecretMatch(msgspec.Struct, frozen=True, kw_only=True):
    """A secret: the rule that found it, and its line, from 1."""

    rule: str
    line: int


class SecretRule(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of secret. ``what`` is its name in messages.

    ``counts`` decides on a match, given the whole buffer. A ``key`` in a file of a test suite is taken for a sample.
    """

    name: str
    what: str
    markers: tuple[bytes, ...]
    pattern: re.Pattern[bytes]
    counts: Callable[[bytes, re.Match[bytes]], bool]
    key: bool = False


def _is_random(_buffer: bytes, match: re.Match[bytes]) -> bool:
    """Whether the part of a token that should be random looks random."""
    text = match["random"]
    if _SAMPLE_WORDS.search(text) or len(set(text)) < min(len(text) * _LEAST_VARIETY, 10):
        return False
    same = rising = 1
    for before, after in pairwise(text):
        same = same + 1 if after == before else 1
        rising = rising + 1 if after == before + 1 else 1
        if max(same, rising) >= _LONGEST_RUN:
            return False
    return True


def _has_secret_near(buffer: bytes, match: re.Match[bytes]) -> bool:
    """Whether the secret of an AWS key is near its id, which alone is none."""
    if not _is_random(buffer, match):
        return False
    near = buffer[max(0, match.start() - _NEAR) : match.end() + _NEAR]
    return any(
        any(byte in b"abcdefghijklmnopqrstuvwxyz" for byte in found)
        and any(byte in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ" for byte in found)
        and any(byte in b"0123456789" for byte in found)
        and not _SAMPLE_WORDS.search(found)
        for found in _AWS_SECRET.findall(near)
    )


def _is_not_emulator(buffer: bytes, match: re.Match[bytes]) -> bool:
    return not match["random"].startswith(_EMULATOR) and _is_random(buffer, match)


def _always(_buffer: bytes, _match: re.Match[bytes]) -> bool:
    return True


def _token(name: str, what: str, markers: str, rest: str, counts: Callable[..., bool] = _is_random) -> SecretRule:
    """Return the rule for a token that begins with one of the markers, and with their common beginning in ``rest``."""
    found = tuple(marker.encode() for marker in markers.split())
    return SecretRule(name=name, what=what, markers=found, pattern=re.compile(rest.encode()), counts=counts)


# The end of a header, and what may stand between it and the key in a source file: quotes, \n, blanks, a comma, a plus.
_KEY = r"""-----[\s\\nr"',+()]{1,80}?"""
_RULES = (
    SecretRule(
        name="private-key",
        what="a private key",
        markers=(b"-----BEGIN ",),
        pattern=re.compile(
            rb"-----BEGIN (?:(?:RSA |EC |DSA )?PRIVATE KEY" + _KEY.encode() + rb"[A-Za-z0-9+/]{40}"
            # An OpenSSH key without a passphrase begins so.
            rb"|OPENSSH PRIVATE KEY" + _KEY.encode() + rb"b3BlbnNzaC1rZXktdjEAAAAABG5vbmU)"
        ),
        counts=_always,
        key=True,
    ),
    _token(
        "github-token",
        "a token of GitHub",
        "ghp_ gho_ ghu_ ghs_ ghr_",
        r"gh[pousr]_(?P<random>[A-Za-z0-9]{36})(?![A-Za-z0-9])",
    ),
    _token(
        "github-fine-token",
        "a token of GitHub",
        "github_pat_",
        r"github_pat_(?P<random>[A-Za-z0-9]{22}_[A-Za-z0-9]{59})",
    ),
    _token("pypi-token", "an API token of a package index", "pypi-AgE", r"pypi-AgE(?P<random>[A-Za-z0-9_-]{70,2000})"),
    _token(
        "aws-key", "a key of AWS with its secret", "AKIA", r"AKIA(?P<random>[A-Z2-7]{16})(?![A-Z0-9])", _has_secret_near
    ),
    _token(
        "slack-token",
        "a token of Slack",
        "xox",
        r"xox[bpars]-[0-9]{9,13}-[0-9]{9,13}-(?P<random>[A-Za-z0-9-]{20,80})",
    ),
    _token(
        "slack-webhook",
        "a webhook of Slack",
        "hooks.slack.com/services/T",
        r"hooks\.slack\.com/services/T[A-Z0-9]{8,10}/B[A-Z0-9]{8,10}/(?P<random>[A-Za-z0-9]{24})",
    ),
    _token("npm-token", "a token of npm", "npm_", r"npm_(?P<random>[A-Za-z0-9]{36})(?![A-Za-z0-9])"),
    _token("hugging-face-token", "a token of Hugging Face", "hf_", r"hf_(?P<random>[A-Za-z]{34})(?![A-Za-z0-9])"),
    _token("gitlab-token", "a token of GitLab", "glpat-", r"glpat-(?P<random>[A-Za-z0-9_-]{20,80})"),
    _token("docker-token", "a token of Docker Hub", "dckr_", r"dckr_(?:pat|oat)_(?P<random>[A-Za-z0-9_-]{27,80})"),
    _token("stripe-key", "a live key of Stripe", "k_live_", r"k_live_(?P<random>[A-Za-z0-9]{24,120})"),
    _token(
        "sendgrid-key",
        "a key of SendGrid",
        "SG.",
        r"SG\.[A-Za-z0-9_-]{22}\.(?P<random>[A-Za-z0-9_-]{43})(?![A-Za-z0-9_-])",
    ),
    _token(
        "anthropic-key",
        "a key of Anthropic",
        "sk-ant-",
        r"sk-ant-(?:api|admin|oat)[0-9]{2}-(?P<random>[A-Za-z0-9_-]{80,120})",
    ),
    _token("openai-key", "a key of OpenAI", "T3BlbkFJ", r"T3BlbkFJ(?P<random>[A-Za-z0-9_-]{20,80})"),
    _token(
        "digitalocean-token",
        "a token of DigitalOcean",
        "dop_v1_",
        r"dop_v1_(?P<random>[a-f0-9]{64})",
    ),
    _token("google-secret", "a client secret of Google", "GOCSPX-", r"GOCSPX-(?P<random>[A-Za-z0-9_-]{28})"),
    _token(
        "azure-storage-key",
        "a key of Azure's storage",
        "AccountKey=",
        r"AccountKey=(?P<random>[A-Za-z0-9+/]{86})==",
        _is_not_emulator,
    ),
)
RULES = {rule.name: rule for rule in _RULES}
_MARKERS = tuple((rule, marker) for rule in _RULES for marker in rule.markers)
_INSIDE = frozenset({b"T3BlbkFJ", b"k_live_", b"-----BEGIN "})


def find_secrets(chunks: Iterable[bytes]) -> Iterator[SecretMatch]:
    """Find the secrets in a file that is read in chunks. Holds one chunk and `OVERLAP` bytes in memory."""
    buffer, line, done = b"", 1, 0
    for chunk in chunks:
        # What begins in the last bytes may go on in the next chunk; what is before `done` has been reported.
        buffer += chunk
        until = len(buffer) - OVERLAP
        if until <= done:
            continue
        yield from _search(buffer, line, done, until)
        # The bytes before are kept for what stands near a match.
        cut = max(0, until - OVERLAP)
        line += buffer.count(b"\n", 0, cut)
        buffer, done = buffer[cut:], until - cut
    yield from _search(buffer, line, done, len(buffer))


def _search(buffer: bytes, line: int, start: int, end: int) -> Iterator[SecretMatch]:
    """Report the secrets that begin between ``start`` and ``end``. ``line`` is that of the first byte."""
    for rule, marker in _MARKERS:
        last = end + len(marker) - 1
        at = buffer.find(marker, start, last)
        while at >= 0:
            match = rule.pattern.match(buffer, at)
            if match and not _continues(buffer, at, marker) and rule.counts(buffer, match):
                yield SecretMatch(rule=rule.name, line=line + buffer.count(b"\n", 0, at))
            at = buffer.find(marker, match.end() if match else at + 1, last)


def _continues(buffer: bytes, at: int, marker: bytes) -> bool:
    """Whether a match begins in the middle of a word, where only some tokens have their marker."""
    return marker not in _INSIDE and at > 0 and _WORD.match(buffer, at - 1) is not None
