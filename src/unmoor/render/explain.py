"""What each piece of advice is about, from the table explanations.toml: cause, what is public by then, what to do."""

from __future__ import annotations

import string
import textwrap
import tomllib
from collections.abc import Iterator
from importlib import resources

import msgspec

from unmoor import advice

_TABLE = "explanations.toml"
_SHARED = ("public", "titles")
"""Tables that explain no advice: what several entries have in common, and the titles of the groups."""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The explanation of an entry of the catalogue of advice. ``title`` is that of its group."""

    id: str
    group: str
    title: str
    advice: str
    cause: str
    public: str
    do: str


def explanations() -> dict[str, Explanation]:
    """Return every explanation by the id of its advice, in the order of the table."""
    table = tomllib.loads(resources.files(__package__).joinpath(_TABLE).read_text(encoding="utf-8"))
    texts = {each.id: text_of(each) for each in advice.catalogue()}
    return {
        name: Explanation(
            id=name,
            group=group,
            title=table["titles"][group],
            advice=texts.get(name, ""),
            cause=entry["cause"],
            public=table["public"].get(entry["public"], entry["public"]),
            do=entry["do"],
        )
        for group, entries in table.items()
        if group not in _SHARED
        for name, entry in entries.items()
    }


def text_of(entry: advice.Template) -> str:
    """Return the text of an entry with the names of its parameters in braces.

    >>> text_of(advice.WAIT)
    'wait {duration}'
    >>> text_of(advice.CLOSE_EXPRESSION)
    'end it with }}'
    """
    names = {name for _, name, _, _ in string.Formatter().parse(entry.text) if name}
    return str(entry(**{name: f"{{{name}}}" for name in names}))


def lines(found: Explanation, width: int = 100) -> Iterator[str]:
    """Yield the lines of an explanation for a terminal."""
    yield found.id
    parts = {"next": found.advice, "cause": found.cause, "public by then": found.public, "what to do": found.do}
    for name, text in parts.items():
        yield f"\n  {name}:"
        yield textwrap.fill(text, width, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
