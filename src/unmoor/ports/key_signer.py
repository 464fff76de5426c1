"""A key of a person or a project that signs the list of checksums, besides the workflow's own signatures."""

from __future__ import annotations

from typing import Protocol


class KeySigner(Protocol):
    """Signs with one key, and never asks for a passphrase: the key is open, or an agent holds it."""

    @property
    def key(self) -> str:
        """The key as the settings name it, such as ``ssh:~/.ssh/id_ed25519`` or ``gpg:KEYID``."""

    @property
    def suffix(self) -> str:
        """The end of the name of a signature: ``.sig`` or ``.asc``."""

    def sign(self, data: bytes) -> bytes:
        """Sign a text. The signature is text, too.

        Raises `Denied` if the key is missing or locked, and `ToolMissing` without the program that signs.
        """

    def fault(self, data: bytes, signature: bytes) -> str:
        """What is wrong with a signature; empty if it is of this text and by this key. Raises as `sign` does."""
