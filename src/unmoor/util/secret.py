"""A value that must never be shown."""

from __future__ import annotations


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
