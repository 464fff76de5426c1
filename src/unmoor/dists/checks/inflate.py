"""Unpacking, by ISA-L where there is a build of it: it takes a third of zlib's time, which is most of the work."""

from __future__ import annotations

import zlib
from typing import Protocol


class Inflate(Protocol):
    """What unpacks one member, as ``zlib.decompressobj`` does."""

    @property
    def eof(self) -> bool:
        """Whether the end of the packed bytes was met."""

    @property
    def unused_data(self) -> bytes:
        """What follows that end."""

    @property
    def unconsumed_tail(self) -> bytes:
        """What was not unpacked yet, since the last piece was full."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Unpack to at most ``max_length`` bytes. Raises one of `ERRORS`."""


try:
    from isal import isal_zlib
except ImportError:
    ERRORS: tuple[type[Exception], ...] = (zlib.error,)

    def inflate() -> Inflate:
        """Begin to unpack raw deflated bytes."""
        return zlib.decompressobj(-zlib.MAX_WBITS)

    crc32 = zlib.crc32
else:
    ERRORS = (zlib.error, isal_zlib.error)  # type: ignore[assignment]  # its stub calls the class an instance

    def inflate() -> Inflate:
        """Begin to unpack raw deflated bytes."""
        return isal_zlib.decompressobj(-zlib.MAX_WBITS)

    crc32 = isal_zlib.crc32
