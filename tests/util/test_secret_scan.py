"""What looks like a secret, and what only seems to."""

from __future__ import annotations

import pytest

from unmoor.util.secret_scan import is_secret_name, secret_file, secret_in, token_in


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TOKEN", True),
        ("GITHUB_TOKEN", True),
        ("github_token", True),
        ("DB_PASSWORD", True),
        ("SECRET", True),
        ("CLIENT_SECRET", True),
        ("SECRET_KEY", True),
        ("APIKEY", True),
        ("API_KEY", True),
        ("KEY", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("SIGNING_KEY_2", True),
        ("GPG_KEY", False),
        ("PUBLIC_KEY", False),
        ("CACHE_KEY", False),
        ("AWS_ACCESS_KEY_ID", False),
        ("PASSWORD_FILE", False),
        ("KEYBOARD", False),
        ("MONKEY", False),
        ("TOKENIZERS_PARALLELISM", False),
        ("AUTHOR", False),
        ("VERSION", False),
        ("PATH", False),
    ],
)
def test_names(name: str, *, expected: bool) -> None:
    """A name tells by its words, not by its letters."""
    assert is_secret_name(name) is expected


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("ghp_" + "a" * 36, "a GitHub token"),
        ("x=github_pat_" + "a" * 40, "a GitHub token"),
        ("pypi-" + "Ag" * 40, "an index token"),
        ("AKIAABCDEFGHIJKLMNOP", "an AWS key"),
        ("https://user:pass@example.org/simple", "a password in an address"),
        ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
        ("https://user:$PASS@example.org/", ""),
        ("https://example.org:8080/a@b", ""),
        ("A035C8C19219BA821ECEA86B64E628F8D684696D", ""),
        ("pypi-server", ""),
    ],
)
def test_tokens(text: str, sort: str) -> None:
    """A token tells by its beginning and its length."""
    assert token_in(text) == sort


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("DB_PASSWORD=hunter2", "a value of DB_PASSWORD"),
        ("RUN |1 TOKEN=abc /bin/sh -c true", "a value of TOKEN"),
        ("RUN curl -H 'x' && API_KEY=\"abc\" make", "a value of API_KEY"),
        ("RUN TOKEN=$(cat /run/secrets/TOKEN) pip install x", ""),
        ("PASSWORD_FILE=/run/secrets/password", ""),
        ("PASSWORD=", ""),
        ("GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D", ""),
        ("PATH=/usr/bin", ""),
        ("RUN echo ghp_" + "a" * 36, "a GitHub token"),
    ],
)
def test_lines(line: str, expected: str) -> None:
    """A literal value is reported by its name only. A reference to a value elsewhere is not reported."""
    found = secret_in(line)
    assert found == expected
    assert "hunter2" not in found


@pytest.mark.parametrize(
    ("path", "holds", "expected"),
    [
        (".env", "", "a file of environment variables"),
        ("app/.env.production", "", "a file of environment variables"),
        ("app/.env.example", "", ""),
        ("root/.pypirc", "", "a login for an index"),
        ("home/a/.netrc", "", "logins"),
        ("root/.ssh/id_ed25519", "", "a private key"),
        ("root/.ssh/id_ed25519.pub", "", ""),
        ("root/.docker/config.json", "", "a login for a registry"),
        ("app/config.json", "", ""),
        ("app/.git/HEAD", "", "the repository's history"),
        ("app/.gitignore", "", ""),
        ("etc/ssl/certs/ca.pem", "", ""),
        ("etc/server.pem", "private key", "a private key"),
        ("etc/store.p12", "", "a private key"),
        ("usr/lib/python3.11/test/key.pem", "private key", ""),
        ("opt/venv/lib/python3.11/site-packages/x/tests/key.pem", "private key", ""),
        ("opt/venv/lib/python3.11/site-packages/x/.git/HEAD", "", "the repository's history"),
        ("", "", ""),
    ],
)
def test_files(path: str, holds: str, expected: str) -> None:
    """A file tells by its name or by what it holds; what came with a package is its own."""
    assert secret_file(path, holds) == expected
