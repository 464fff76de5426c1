"""Secrets of every form, none of them real. They are put together here, so that no file of ours holds one."""

from __future__ import annotations

import random
import string

_CHOSEN = random.Random(20261128)  # noqa: S311 - the same ones in every run
WORD = string.ascii_letters + string.digits


def chars(count: int, alphabet: str = WORD) -> str:
    """Return characters that look random."""
    return "".join(_CHOSEN.choices(alphabet, k=count))


def private_key(kind: str = "RSA ", begin: str = "MIIEpAIBAAKCAQEA") -> str:
    """Return what looks like a private key of several lines."""
    lines = "\n".join(chars(64) for _ in range(4))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{begin}{chars(48)}\n{lines}\n-----END {kind}PRIVATE KEY-----\n"


SECRETS = {
    "private-key": private_key(),
    "github-token": f"ghp_{chars(36)}",
    "github-fine-token": f"github_pat_{chars(22)}_{chars(59)}",
    "pypi-token": f"pypi-AgE{chars(150)}",
    "aws-key": f"AKIA{chars(16, string.ascii_uppercase + '234567')}:{chars(36)}aA1+",
    "slack-token": f"xoxb-{chars(12, '123579')}-{chars(12, '123579')}-{chars(24)}",
    "slack-webhook": f"https://hooks.slack.com/services/T{chars(9, 'ABC2')}/B{chars(9, 'ABC2')}/{chars(24)}",
    "npm-token": f"npm_{chars(36)}",
    "hugging-face-token": f"hf_{chars(34, string.ascii_letters)}",
    "gitlab-token": f"glpat-{chars(20)}",
    "docker-token": f"dckr_pat_{chars(27)}",
    "stripe-key": f"sk_live_{chars(24)}",
    "sendgrid-key": f"SG.{chars(22)}.{chars(43)}",
    "anthropic-key": f"sk-ant-api03-{chars(93)}AA",
    "openai-key": f"sk-{chars(20)}T3BlbkFJ{chars(20)}",
    "digitalocean-token": f"dop_v1_{chars(64, 'abcdef0123456789')}",
    "google-secret": f"GOCSPX-{chars(28)}",
    "azure-storage-key": f"AccountKey={chars(86)}==",
}
"""One secret for each rule."""
