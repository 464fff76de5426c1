"""YAML that is nested too deeply is refused at once; what is only long takes time in proportion."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scanner import ScannerError
from tests.support.growth import Make, grows_slowly, numbered, repeated

from unmoor.util.shallow_yaml import DEEPEST, shallow_yaml


def _indented(size: int) -> str:
    """Mappings in each other, of about so many characters in all."""
    depth = max(2, int((2 * size) ** 0.5))
    return "\n".join(f"{' ' * level}a:" for level in range(depth))


DEEP: dict[str, Callable[[int], str]] = {
    "lists": lambda depth: "[" * depth,
    "closed": lambda depth: "[" * depth + "]" * depth,
    "maps": lambda depth: "{a: " * depth,
    "mixed": lambda depth: "[{a: " * (depth // 2),
    "indented": lambda depth: "\n".join(f"{' ' * level}a:" for level in range(depth)),
    "dashes": lambda depth: "- " * depth + "a",
    "questions": lambda depth: "? " * depth + "a",
    "anchors": lambda depth: "".join(f"&a{level} [" for level in range(depth)),
}


@pytest.mark.parametrize("depth", [DEEPEST + 2, 500, 20_000])
@pytest.mark.parametrize("kind", DEEP)
def test_deep_nesting_is_refused(kind: str, depth: int) -> None:
    """With a message that says so and where, whatever opens the levels, and not by the depth of our own calls."""
    text = DEEP[kind](min(depth, 1_000) if kind == "indented" else depth)
    with pytest.raises(ScannerError, match=f"nested more than {DEEPEST} deep") as caught:
        shallow_yaml().compose(text)
    assert caught.value.problem_mark is not None


@pytest.mark.parametrize(
    "text", ["[" * (DEEPEST - 2) + "]" * (DEEPEST - 2), DEEP["indented"](DEEPEST - 2), "a: [b, {c: d}]", ""]
)
def test_what_is_not_deep_is_read(text: str) -> None:
    """Up to the limit."""
    shallow_yaml().compose(text)


LONG: dict[str, Make] = {
    "open lists": repeated("["),
    "open maps": repeated("{a: "),
    "dashes": repeated("- "),
    "indented": _indented,
    "anchors": numbered("a{}: &a{} b\n"),
    "aliases": numbered("a{}: *x\n", before="x: &x b\n"),
    "pairs of lists": repeated("- [[], []]\n"),
    "one line": repeated("b, ", before="a: [", after="c]"),
}


@pytest.mark.parametrize("kind", LONG)
def test_the_time_grows_with_the_length(kind: str) -> None:
    """Not with its square."""

    def read(text: str) -> None:
        with contextlib.suppress(YAMLError):
            shallow_yaml().compose(text)

    assert grows_slowly(read, LONG[kind])
