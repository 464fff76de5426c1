"""Secrets are masked in whatever form they come back."""

from __future__ import annotations

import json
from base64 import b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmoor.util.secret import Secret, masker

KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\n  c2VjcmV0LWJ5dGVzLW9mLWEta2V5\n}\n-----END KEY-----\n"
TOKEN = 'pypi-AgE/x+y=z&ü ~"quoted"'  # no real one
FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "in a line": lambda text: f"#8 0.123 {text.strip()}!",
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64 of echo": lambda text: b64encode(text.encode() + b"\n").decode(),
    "base64 of a login": lambda text: b64encode(b"me:" + text.encode()).decode(),
    "base64 of JSON": lambda text: b64encode(b'{"a": "' + text.encode() + b'"}').decode(),
    "base64 for addresses": lambda text: urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "in an address": lambda text: f"https://u:{quote(text, safe='')}@example.org/",
    "in a path": lambda text: f"https://example.org/{quote(text)}",
    "in a form": lambda text: f"password={quote_plus(text)}",
    "in JSON": lambda text: json.dumps({"token": text}),
    "in JSON, in UTF-8": lambda text: json.dumps({"token": text}, ensure_ascii=False),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", [TOKEN, KEY])
def test_each_form_is_masked(secret: str, form: str) -> None:
    """Nothing of the secret, and hardly anything of its encoding, remains; the text around it does."""
    written = FORMS[form](secret)
    masked = masker([Secret("other"), Secret(secret)])(written)
    assert "***" in masked
    assert secret.strip() not in masked
    around = written.replace(secret.strip(), "")
    assert len(masked) <= 16 + (len(around) if form in {"in a line", "in an address", "in a path", "in a form"} else 24)
    assert not any(line.strip() in masked for line in secret.splitlines() if len(line) > 4)


@pytest.mark.parametrize(
    "written",
    [
        *(line for line in KEY.splitlines() if line != "}"),
        *encodebytes(KEY.encode()).decode().splitlines(),
        *(b64encode(line.strip().encode()).decode() for line in KEY.splitlines() if line != "}"),
    ],
)
def test_lines_are_masked_one_by_one(written: str) -> None:
    """A program prints a key in lines, and so does base64: each line is masked on its own."""
    time, *words = masker([Secret(KEY)])(f"0.123 {written}").split()
    assert time == "0.123"
    assert [word.rstrip("=") for word in words] == ["***"]


@pytest.mark.parametrize("written", ["}", "{ 1: }", "KEY", "nothing of it", "0.123 done", "", "***"])
def test_other_text_stays(written: str) -> None:
    """A line of a secret that could be anything, such as a brace, masks nothing."""
    assert masker([Secret(KEY), Secret("")])(written) == written
    assert masker([])(written) == written


@given(st.text(min_size=6), st.binary(max_size=4), st.binary(max_size=4))
def test_base64_at_any_place(secret: str, before: bytes, after: bytes) -> None:
    """Whatever bytes are around it, at most the characters that it shares with them remain."""
    encoded = b64encode(before + secret.encode() + after).decode()
    if len(secret.encode()) >= 9:  # else there are fewer than eight characters of its own
        masked = masker([Secret(secret)])(encoded)
        assert "***" in masked
        assert len(masked) <= 3 + 8 + 8


def test_a_long_secret_takes_little_time() -> None:
    """The forms of a large key are searched at once."""
    key = "\n".join(f"{number:064}" for number in range(400))
    mask = masker([Secret(key)])
    assert all(mask(f"> {number:064}") == "> ***" for number in range(0, 400, 40))
