"""What an index says besides its pages: its own words in a refusal."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from http import HTTPStatus

from unmoor.adapters.http.session import Response
from unmoor.util.text import clean

_LOOKED_AT = 20_000


class _Text(HTMLParser):
    """The visible text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - theirs
        """Skip what is not shown; the title repeats the heading."""
        self._hidden += tag in {"script", "style", "title"}

    def handle_endtag(self, tag: str) -> None:
        """Show again."""
        self._hidden -= tag in {"script", "style", "title"} and self._hidden > 0

    def handle_data(self, data: str) -> None:
        """Keep what is shown."""
        if not self._hidden:
            self.pieces.append(data)


def words(answer: Response) -> str:
    """What the server says about an answer, in one clean line: the status line if it was written for us, else the body.

    PyPI puts the reason into the status line; HTTP/2 and other indexes have it in the body alone.
    """
    try:
        usual = HTTPStatus(answer.status).phrase
    except ValueError:
        usual = ""
    said = answer.reason
    if said and said.casefold() != usual.casefold():
        return said
    return _from_body(answer) or said or "no reason given"


def _from_body(answer: Response) -> str:
    text = answer.body[:_LOOKED_AT].decode("utf-8", "replace")
    if answer.content_type.endswith("json"):
        try:
            value = json.loads(text)
        except ValueError:
            return clean(text)
        found = [value.get(key) for key in ("message", "error", "detail", "reason")] if isinstance(value, dict) else []
        return clean(next((each for each in found if isinstance(each, str)), text))
    if "html" in answer.content_type:
        page = _Text()
        page.feed(text)
        return clean(" ".join(page.pieces))
    return clean(text)
