"""Every piece of advice is explained, by the table explanations.toml."""

from __future__ import annotations

import re

from unmoor import advice
from unmoor.render.explain import explanations, lines

FOUND = explanations()


def test_no_advice_lacks_an_explanation() -> None:
    """To add advice, add its cause, what is public by then, and what to do to src/unmoor/render/explanations.toml."""
    ids = [entry.id for entry in advice.catalogue()]
    assert [name for name in ids if name not in FOUND] == []
    assert [name for name in FOUND if name not in ids] == []


def test_an_explanation_says_more_than_the_advice() -> None:
    """Each part consists of whole sentences, and none repeats the advice or another part."""
    for found in FOUND.values():
        parts = [found.cause, found.public, found.do]
        assert all(part.endswith(".") and part.count("`") % 2 == 0 and "  " not in part for part in parts), found
        assert len({*parts, found.advice}) == len(parts) + 1, found


def test_what_is_printed() -> None:
    """The lines name the id, then the four parts, each wrapped below its name."""
    text = "\n".join(lines(FOUND["fetch-history"], width=60))
    assert text.startswith("fetch-history\n")
    assert re.findall(r"^  ([a-z ]+):$", text, re.MULTILINE) == ["next", "cause", "public by then", "what to do"]
    assert max(map(len, text.splitlines())) <= 60
