"""One page of a list of tags, as the OCI distribution specification has it ("Content Discovery", "Listing Tags").

The registry behind the proxy (2.8) ignores ``n`` and ``last`` and gives the tags in any order.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode

import msgspec

from unmoor.util.decode import described


class TagList(msgspec.Struct):
    """The body of a list of tags; a package that has lost its last tag has ``null``."""

    name: str
    tags: list[str] | None


class TagPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a list of tags: at most ``limit`` after ``last``, which need not be a tag; ``None`` for no limit."""

    limit: int | None
    last: str

    @classmethod
    def of(cls, query: str) -> TagPage:
        """Read a query. Raises ``ValueError`` if the limit is not a number from 0 on."""
        given = parse_qs(query, keep_blank_values=True)
        text = given.get("n", [""])[0]
        if text and not (text.isascii() and text.isdigit()):
            raise ValueError(text)
        return cls(limit=int(text) if text else None, last=given.get("last", [""])[0])

    def cut(self, body: bytes) -> tuple[bytes, str]:
        """Cut the page out of a whole list. Return it, and its ``Link`` header, empty on the last page.

        Raises ``msgspec.DecodeError`` for another body.
        """
        whole = msgspec.json.decode(body, type=described(TagList))
        after = sorted(tag for tag in whole.tags or () if tag > self.last)
        shown = after if self.limit is None else after[: self.limit]
        link = ""
        if shown and len(shown) < len(after):
            query = urlencode({"last": shown[-1], "n": self.limit})
            link = f'</v2/{whole.name}/tags/list?{query}>; rel="next"'
        return msgspec.json.encode(TagList(whole.name, shown)), link
