"""Find what looks like a secret: names of variables and files, and text that has the form of a token.

Results name the kind of secret, never its value.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_NAME = re.compile(
    r"(?:^|_)(?:TOKENS?|PASSWORD|PASSWD|PASSPHRASE|PWD|SECRETS?|CREDENTIALS?|APIKEY|KEY)(?:_[0-9]+)?$"
    r"|(?:API|ACCESS|PRIVATE|SECRET|SIGNING|ENCRYPTION|SSH|AUTH)_?KEY|(?:^|_)AUTH(?:_?TOKEN)?$",
    re.IGNORECASE,
)
# Official Python images set GPG_KEY, a fingerprint; the others are public by nature.
_PUBLIC = re.compile(
    r"^(?:GPG_KEY|PWD|OLDPWD)$|PUBLIC|FINGERPRINT|CACHE_KEY|KEY_ID|SSH_AUTH_SOCK|_(?:FILE|PATH|DIR)$", re.IGNORECASE
)
_TOKENS = (
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})")),
    ("an index token", re.compile(r"\bpypi-[A-Za-z0-9_-]{50,}")),
    ("a registry token", re.compile(r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}")),
    ("a GitLab token", re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}")),
    ("an npm token", re.compile(r"\bnpm_[A-Za-z0-9]{36}\b")),
    ("an AWS key", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("a Google key", re.compile(r"\bAIza[A-Za-z0-9_-]{35}\b")),
    ("a Slack token", re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}")),
    ("a Hugging Face token", re.compile(r"\bhf_[A-Za-z0-9]{30,}\b")),
    ("a signed token", re.compile(r"(?<![\w-])eyJ[\w-]{10,}+\.eyJ[\w-]{10,}+\.[\w-]{10,}", re.ASCII)),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a password in an address", re.compile(r"\b[a-z][a-z0-9+.-]{0,30}://[^\s/:@$]+:[^\s/@$]{3,}@")),
)
_ASSIGNED = re.compile(r"(?:^|[\s;|&\"'(])(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<quote>[\"']?)(?P<value>[^\s\"';&|]+)")
_FILES = {
    ".env": "a file of environment variables",
    ".pypirc": "a login for an index",
    ".netrc": "logins",
    "_netrc": "logins",
    ".git-credentials": "logins for git",
    ".dockercfg": "a login for a registry",
    "id_rsa": "a private key",
    "id_dsa": "a private key",
    "id_ecdsa": "a private key",
    "id_ed25519": "a private key",
}
_ENDS = {
    (".docker", "config.json"): "a login for a registry",
    (".aws", "credentials"): "a login for AWS",
    (".kube", "config"): "a login for Kubernetes",
    (".config", "gh", "hosts.yml"): "a login for GitHub",
    (".gem", "credentials"): "a login for an index",
}
_SHAPES = (".p12", ".pfx", ".keystore", ".jks")
_ENV_SAMPLE = re.compile(r"\.env\.(?!example|sample|template|dist|defaults?\b).+", re.IGNORECASE)
# Keys that are public because they ship with a package or its tests.
_LIBRARY = re.compile(r"(?:^|/)(?:site-packages|dist-packages|lib/python[0-9.]*|node_modules)/|^usr/(?:share|lib)/")


def is_secret_name(name: str) -> bool:
    """Whether the name of a variable suggests that its value is a secret."""
    return _NAME.search(name) is not None and _PUBLIC.search(name) is None


def token_in(text: str) -> str:
    """The kind of token that a text holds, empty if none."""
    return next((sort for sort, pattern in _TOKENS if pattern.search(text)), "")


def secret_in(text: str) -> str:
    """The secret that a line of variables or of shell assigns, empty if none.

    A reference (``$NAME``, a path) is no secret.
    """
    if sort := token_in(text):
        return sort
    for match in _ASSIGNED.finditer(text):
        if is_secret_name(match["name"]) and match["value"][0] not in "$/<`":
            return f"a value of {match['name']}"
    return ""


def secret_file(path: str, holds: str = "") -> str:
    """Describe a file that does not belong in an image, empty if it may be there.

    ``path`` has no leading slash; ``holds`` names the kind of secret in its first bytes, if known.
    """
    parts = PurePosixPath(path).parts
    name = parts[-1] if parts else ""
    if ".git" in parts[:-1]:
        return "the repository's history"
    if _LIBRARY.search(path):
        return ""
    if name in _FILES or _ENV_SAMPLE.fullmatch(name):
        return _FILES.get(name, _FILES[".env"])
    end = next((what for end, what in _ENDS.items() if parts[-len(end) :] == end), "")
    key = holds or ("private key" if name.endswith(_SHAPES) else "")
    return end or (f"a {key}" if key else "")
