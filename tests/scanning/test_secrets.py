"""Secrets are found by their form, wherever they are; what only looks like one is not."""

from __future__ import annotations

import string

import pytest
from tests.support.growth import grows_slowly, repeated
from tests.support.secrets_of_tests import SECRETS, chars, private_key

from unmoor.scanning.secrets import OVERLAP, RULES, SecretMatch, find_secrets

_AWS_ID = f"AKIA{chars(16, string.ascii_uppercase + '234567')}"


def found(text: str) -> list[str]:
    """Return the rules that match in a text, read at once."""
    return [each.rule for each in find_secrets([text.encode()])]


def test_every_rule_has_a_secret() -> None:
    """The table of secrets has one for each rule, and no other."""
    assert SECRETS.keys() == RULES.keys()


@pytest.mark.parametrize("rule", SECRETS)
def test_a_secret(rule: str) -> None:
    """A secret is found in source, in JSON, between bytes that are no text, and alone."""
    for around in ("{}", "key = '{}'\n", '{{"a": "{}"}}', "\x00\xff{}\x00", "a\n{}\nb\n", "TOKEN={}"):
        assert found(around.format(SECRETS[rule])) == [rule], around


@pytest.mark.parametrize("rule", SECRETS)
def test_a_secret_across_chunks(rule: str) -> None:
    """A secret is found once and on its line, wherever the chunks end."""
    for before in (0, OVERLAP - 3, OVERLAP, 2 * OVERLAP + 5, 10 * OVERLAP):
        data = ("x\n" * (before // 2) + SECRETS[rule] + "\ny" * OVERLAP).encode()
        for chunk in (1000, OVERLAP, 1 << 16):
            chunks = [data[at : at + chunk] for at in range(0, len(data), chunk)]
            assert list(find_secrets(chunks)) == [SecretMatch(rule=rule, line=before // 2 + 1)], (before, chunk)


@pytest.mark.parametrize(
    "text",
    [
        private_key("", "MIIEvQIBADANBgkqhkiG"),
        private_key("EC ", "MHcCAQEE"),
        private_key().replace("\n", "\\n"),
        "key = (\n" + "".join(f"    '{line}\\n'\n" for line in private_key().splitlines()) + ")",
        private_key("OPENSSH ", "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"),
    ],
)
def test_a_private_key(text: str) -> None:
    """A key is found in the forms that programs write, and in source or JSON."""
    assert found(text) == ["private-key"]


@pytest.mark.parametrize(
    "text",
    [
        private_key("ENCRYPTED ", "MIIFHDBOBgkqhkiG"),
        private_key("OPENSSH ", "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0"),
        private_key().replace("MII", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B\n\nMII"),
        private_key().replace("PRIVATE", "PUBLIC"),
        "if '-----BEGIN PRIVATE KEY-----' in text:\n    return text.partition('-----END PRIVATE KEY-----')",
        "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----",
        "ghp_" + "x" * 36,
        "ghp_" + "0123456789" * 3 + "abcdef",
        "ghp_1234567890abcdefghijklmnopqrstuvwxyz",
        f"ghp_exampleexample{chars(22)}",
        f"ghp_{chars(35)}",
        f"ghp_{chars(37)}",
        f"tghp_{chars(36)}",
        "hf_" + "a" * 34,
        f"chf_{chars(34, string.ascii_letters)}",
        "npm_config_registry_and_other_variables_of_npm",
        "pypi-AgEIcHlwaS5vcmc",
        f"pypi-AgE{'A' * 100}",
        "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        _AWS_ID,
        f"{_AWS_ID} {'0' * 40}",
        f"{_AWS_ID} {chars(40, '0123456789abcdef')}",
        f"{_AWS_ID}{' ' * 400}{chars(36)}aA1+",
        f"sk_test_{chars(24)}",
        "xoxb-not-a-real-token-at-all-really",
        "glpat-xxxxxxxxxxxxxxxxxxxx",
        "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
        f"sha256:{chars(64, '0123456789abcdef')}",
        "",
    ],
)
def test_no_secret(text: str) -> None:
    """What nobody can use is none: sealed keys, mentions, examples, ids without their secret, tests of Stripe."""
    assert found(text) == []


def test_several_secrets() -> None:
    """Each secret of a file is reported with its line, and one in the middle of another is not one more."""
    text = f"{SECRETS['npm-token']}\n{SECRETS['github-token']}\n\n{SECRETS['npm-token']}"
    assert sorted((each.rule, each.line) for each in find_secrets([text.encode()])) == [
        ("github-token", 2),
        ("npm-token", 1),
        ("npm-token", 4),
    ]


@pytest.mark.parametrize(
    "piece",
    ["-----BEGIN RSA PRIVATE KEY-----\\n", "ghp_", "pypi-AgE", "pypi-AgEa", "AKIAAAAAAAAAAAAAAAAA ", "SG.", "xoxb-1-"],
)
def test_the_time_of_a_scan_grows_with_the_file(piece: str) -> None:
    """What a file repeats does not make its scan slow."""
    assert grows_slowly(found, repeated(piece))
