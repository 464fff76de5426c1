"""JavaScript's regular expressions, on an engine with a deadline.

The pattern of a rule is JavaScript's. It is translated for the library ``regex``, which, unlike the standard
library's ``re``, supports a deadline: a pattern that would run for hours on a malicious tag is an error after a
second. A construct without an exact counterpart is refused. Source: ECMA-262, "Patterns", with the additions
of its Annex B.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from unmoor import advice
from unmoor.images.tags.errors import RuleError

if TYPE_CHECKING:
    import regex

LONGEST_PATTERN: Final = 1000
LONGEST_SUBJECT: Final = 1024
SECONDS: Final = 1.0

_SPACES: Final = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_CLASSES: Final = {"d": "0-9", "w": "A-Za-z0-9_", "s": _SPACES}
_CONTROLS: Final = {"t": r"\t", "n": r"\n", "v": r"\v", "f": r"\f", "r": r"\r"}
_WORD: Final = "[A-Za-z0-9_]"
_QUANTIFIER = re.compile(r"[*+?]|\{[0-9]+(?:,[0-9]*)?\}")
_GROUP = re.compile(r"\((?:\?(?:[:=!]|<[=!]|<(?P<name>[A-Za-z_][A-Za-z0-9_]*)>))?")
_CODE = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}")


def search(pattern: str, text: str, *, flags: str = "") -> tuple[str | None, ...] | None:
    """Search as ``String.match`` does. Return the match and its groups; ``None`` if there is no match.

    With the flag ``g``, return every match without groups. Raises `RuleError` for a pattern that is invalid,
    has no counterpart, has over 1,000 characters, or takes longer than a second.
    """
    ready = compile_pattern(pattern, flags)
    if len(text) > LONGEST_SUBJECT:
        raise RuleError(
            f"the text has {len(text):,} characters, but a pattern is matched against at most {LONGEST_SUBJECT:,}"
        )
    try:
        if "g" in flags:
            return tuple(_every(ready, text)) or None
        match = (ready.match if "y" in flags else ready.search)(text, timeout=SECONDS)
    except TimeoutError as error:
        raise RuleError(
            f"matching the pattern took longer than {SECONDS:g} s",
            next_step=advice.AVOID_NESTED_REPETITION(),
        ) from error
    return None if match is None else (match[0], *match.groups())


def compile_pattern(pattern: str, flags: str = "") -> regex.Pattern[str]:
    """Compile a pattern. Raises `RuleError` for one that is invalid, too long, or has no counterpart."""
    import regex

    bits = _bits(flags)
    translated = translate(pattern, multiline="m" in flags, dot_all="s" in flags, unicode="u" in flags)
    try:
        return regex.compile(translated, regex.V0 | bits)
    except regex.error as error:
        why = str(error).partition(" at position ")[0]  # the position is in the translation
        raise RuleError(f"the pattern is invalid: {why}", next_step=advice.CORRECT_PATTERN()) from error
    except RecursionError as error:
        raise RuleError(
            "the groups of the pattern are nested too deeply", next_step=advice.NEST_FEWER_GROUPS()
        ) from error


def _every(ready: regex.Pattern[str], text: str) -> Iterator[str]:
    """Yield every match; after an empty one the search continues one character further, as in JavaScript."""
    end = time.monotonic() + SECONDS
    at = 0
    while at <= len(text):
        match = ready.search(text, at, timeout=max(end - time.monotonic(), 0.001))
        if match is None:
            return
        yield match[0]
        at = match.end() + (match.end() == match.start())


def _bits(flags: str) -> int:
    import regex

    for at, flag in enumerate(flags):
        if flag not in "dgimsuy" or flag in flags[:at]:
            raise RuleError(
                f"{flags!r} are not valid flags of a regular expression", next_step=advice.USE_VALID_FLAGS()
            )
    return int(regex.IGNORECASE) if "i" in flags else 0


def translate(pattern: str, *, multiline: bool = False, dot_all: bool = False, unicode: bool = False) -> str:
    """Translate a JavaScript pattern to a Python one. Raises `RuleError`, with the position, if that is impossible."""
    if len(pattern) > LONGEST_PATTERN:
        raise RuleError(f"the pattern has {len(pattern):,} characters, but the limit is {LONGEST_PATTERN:,}")
    return _Translation(pattern=pattern, multiline=multiline, dot_all=dot_all, unicode=unicode).whole()


@dataclass(kw_only=True)
class _Translation:
    """One pass over a pattern. ``repeats``: a quantifier may follow the last element."""

    pattern: str
    multiline: bool
    dot_all: bool
    unicode: bool
    at: int = 0
    repeats: bool = False
    open: list[str] = field(default_factory=list)

    def whole(self) -> str:
        written = []
        while self.at < len(self.pattern):
            written.append(self.piece())
        return "".join(written)

    def refuse(self, what: str) -> RuleError:
        return RuleError(f"the pattern has {what}", at=self.at, next_step=advice.SIMPLIFY_PATTERN())

    def piece(self) -> str:
        char = self.pattern[self.at]
        quantifier = _QUANTIFIER.match(self.pattern, self.at)
        if quantifier:
            return self.quantifier(quantifier)
        self.repeats = char not in "^$|("
        if char == ")" and self.open:
            opened = self.open.pop()
            self.repeats = not (opened in {"(?<=", "(?<!"} or (self.unicode and opened in {"(?=", "(?!"}))
        longer = {"\\": self.escape, "[": self.characters, "(": self.group}
        if char in longer:
            return longer[char]()
        if self.unicode and char in "{}]":
            raise self.refuse(f"a lone {char}")
        self.at += 1
        assertions = {"^": r"(?:^|(?<=[\n\r\u2028\u2029]))", "$": r"(?=[\n\r\u2028\u2029]|\Z)"}
        plain = {"^": r"\A", "$": r"\Z", ".": "(?s:.)" if self.dot_all else r"[^\n\r\u2028\u2029]"}
        if self.multiline and char in assertions:
            return assertions[char].replace("^|", r"\A|")
        return plain.get(char, char if char in "|)" else re.escape(char))

    def quantifier(self, found: re.Match[str]) -> str:
        """Copy a quantifier with its ``?``; to the Python engine a second quantifier would mean something else."""
        if not self.repeats:
            raise self.refuse(f"nothing to repeat before {found[0]}")
        self.repeats = False
        self.at = found.end()
        lazy = self.pattern[self.at : self.at + 1] == "?"
        self.at += lazy
        return found[0] + ("?" if lazy else "")

    def group(self) -> str:
        found = _GROUP.match(self.pattern, self.at)
        assert found is not None  # noqa: S101 - the pattern has a parenthesis there
        if found[0] == "(" and self.pattern[found.end() : found.end() + 1] == "?":
            raise self.refuse("a kind of group that is not supported")
        self.at = found.end()
        self.open.append(found[0])
        return f"(?P<{found['name']}>" if found["name"] else found[0]

    def escape(self) -> str:
        """Translate an escape outside a class."""
        follower = self.pattern[self.at + 1 : self.at + 2]
        if follower in {"b", "B"}:
            self.at += 2
            self.repeats = False
            ends = rf"(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD})"
            inside = rf"(?<={_WORD})(?={_WORD})|(?<!{_WORD})(?!{_WORD})"
            return f"(?:{ends if follower == 'b' else inside})"
        back = re.compile(r"\\([1-9][0-9]?)|\\k<([A-Za-z_][A-Za-z0-9_]*)>").match(self.pattern, self.at)
        if back:
            self.at = back.end()
            name = back[1] or back[2]
            # A group that took no part matches the empty text in JavaScript, but fails in the Python engine.
            return f"(?({name})" + (f"\\g<{name}>" if back[1] else f"(?P={name})") + "|)"
        if follower.lower() in _CLASSES and follower:
            self.at += 2
            return f"[{'^' if follower.isupper() else ''}{_CLASSES[follower.lower()]}]"
        return self.character()

    def character(self) -> str:
        """Translate an escape that stands for one character, in a class or out of it."""
        follower = self.pattern[self.at + 1 : self.at + 2]
        code = _CODE.match(self.pattern, self.at + 1)
        if code and not (code[3] and not self.unicode):
            self.at = code.end()
            number = int(code[1] or code[2] or code[3], 16)
            if number > 0x10FFFF:  # noqa: PLR2004 - the last Unicode character
                raise self.refuse("a number that is not a character")
            return f"\\U{number:08x}"
        if follower == "0" and not self.pattern[self.at + 2 : self.at + 3].isdigit():
            self.at += 2
            return r"\x00"
        if follower in _CONTROLS and follower:
            self.at += 2
            return _CONTROLS[follower]
        if not follower or follower.isalnum() or follower == "_":
            raise self.refuse(f"an escape that is not supported: \\{follower}")
        self.at += 2
        return f"\\{follower}" if follower.isascii() else follower

    def characters(self) -> str:
        r"""Translate a class: ``[^a-z\d]``. Characters that are special only to the Python engine are escaped."""
        end = self.at + (2 if self.pattern.startswith("[^", self.at) else 1)
        written = [self.pattern[self.at : end]]
        self.at = end
        while not self.pattern.startswith("]", self.at):
            if self.at >= len(self.pattern):
                raise self.refuse("a [ that is not closed")
            written.append(self.member())
        self.at += 1
        if len(written) == 1:  # [] matches nothing, [^] anything
            return "(?!)" if written[0] == "[" else "(?s:.)"
        return "".join(written) + "]"

    def member(self) -> str:
        char = self.pattern[self.at]
        follower = self.pattern[self.at + 1 : self.at + 2]
        if char != "\\":
            self.at += 1
            return char if char.isalnum() or char == "-" else f"\\{char}" if char.isascii() else char
        if follower == "b":
            self.at += 2
            return r"\x08"
        if follower.lower() in _CLASSES and follower:
            self.at += 2
            return _CLASSES[follower] if follower.islower() else _complement(follower)
        return self.character()


def _complement(letter: str) -> str:
    """Return the ranges of an upper-case class, for use inside another class."""
    wanted = {"D": "0-9", "W": "0-9A-Z_a-z", "S": _SPACES}[letter]
    taken = sorted(code for code in range(0x10000) if re.fullmatch(f"[{wanted}]", chr(code), re.NOFLAG))
    edges = [-1, *taken, 0x110000]
    gaps = [(low + 1, high - 1) for low, high in pairwise(edges) if high - low > 1]
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in gaps)
