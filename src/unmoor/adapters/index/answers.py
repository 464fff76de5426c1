"""The reason that an index gives in an answer."""

from __future__ import annotations

from html.parser import HTMLParser
from http import HTTPStatus

from unmoor.adapters.http.session import Response
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

# Bytes of a body to read at most.
_MOST_READ = 20_000


class _VisibleText(HTMLParser):
    """The visible text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - theirs
        """Skip invisible elements, and the title, which repeats the heading."""
        self._hidden += tag in {"script", "style", "title"}

    def handle_endtag(self, tag: str) -> None:
        """End an invisible element."""
        self._hidden -= tag in {"script", "style", "title"} and self._hidden > 0

    def handle_data(self, data: str) -> None:
        """Collect visible text."""
        if not self._hidden:
            self.parts.append(data)


def error_message(answer: Response) -> str:
    """The server's reason on one clean line: a custom reason phrase if there is one, or else the body.

    PyPI puts the reason into the status line; HTTP/2 and other indexes have it only in the body.
    """
    try:
        usual = HTTPStatus(answer.status).phrase
    except ValueError:
        usual = ""
    phrase = answer.reason
    if phrase and phrase.casefold() != usual.casefold():
        return phrase
    return _from_body(answer) or phrase or "no reason given"


def _from_body(answer: Response) -> str:
    text = answer.body[:_MOST_READ].decode("utf-8", "replace")
    if answer.content_type.endswith("json"):
        try:
            value = decode_json(text, object)
        except ValueError:
            return clean(text)
        found = [value.get(key) for key in ("message", "error", "detail", "reason")] if isinstance(value, dict) else []
        return clean(next((each for each in found if isinstance(each, str)), text))
    if "html" in answer.content_type:
        page = _VisibleText()
        page.feed(text)
        return clean(" ".join(page.parts))
    return clean(text)
