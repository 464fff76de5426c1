"""A value that must never be shown, and its removal from text that others wrote."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus

# Parts of a secret that are shorter than this are too common to be replaced: braces, indented digits.
_SHORTEST_PART = 4
_SHORTEST_BASE64 = 8
# The lengths of line at which programs wrap base64: MIME and base64(1), and PEM.
_WRAPPED = (76, 64)


class Secret:
    """Text that prints as ``***`` wherever it is printed, formatted, pickled or compared by mistake.

    To use it, say so: ``secret.reveal()``.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text. Call it only to hand the text to a library."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(("Secret", self._text))

    def __reduce__(self) -> str:
        msg = "a secret is never pickled"
        raise TypeError(msg)


def masker(secrets: Iterable[Secret]) -> Callable[[str], str]:
    """Return a function that writes ``***`` for secrets in a text.

    It finds a secret as it is, each line of one with several lines, and either as it is written in base64 (also with
    other bytes around it, and wrapped), in an address, or in JSON. The lengths of the secrets decide how long it takes.
    """
    forms = {form for secret in secrets if secret for form in _forms(secret.reveal())}
    if not forms:
        return str
    pattern = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))
    return lambda text: pattern.sub("***", text)


def _forms(secret: str) -> Iterator[str]:
    """The forms in which a secret may appear in a text."""
    yield secret
    lines = {line.strip() for line in (secret, *secret.splitlines())}
    for part in (secret, *(line for line in lines if len(line) >= _SHORTEST_PART)):
        yield part
        yield from (quote(part, safe=""), quote(part), quote_plus(part), json.dumps(part)[1:-1])
        yield json.dumps(part, ensure_ascii=False)[1:-1]
        for form in _in_base64(part.encode(errors="surrogateescape")):
            yield from (form, form.replace("+", "-").replace("/", "_"))


def _in_base64(data: bytes) -> Iterator[str]:
    """What base64 of any bytes with these in them contains: six bits at a time, so there are three alignments."""
    for before in range(3):
        text = b64encode(b"\0" * before + data).decode()
        stable = text[(0, 2, 3)[before] : (len(data) + before) * 8 // 6]
        pieces = [stable]
        if not before:
            pieces += [text[at : at + width] for width in _WRAPPED for at in range(0, len(text), width)]
        yield from (piece for piece in pieces if len(piece) >= _SHORTEST_BASE64)
