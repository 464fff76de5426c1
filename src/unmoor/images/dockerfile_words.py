"""Words of a Dockerfile: quotes, escapes and variables, as BuildKit reads them.

Source: `Environment replacement <https://docs.docker.com/reference/dockerfile/#environment-replacement>`_, and
BuildKit's ``frontend/dockerfile/shell``, which the tests compare this with.

Every text takes a time that grows like its length. Each error ends the reading, so nothing is read twice, and the
patterns of ``${NAME#pattern}`` are matched with sets of positions instead of regular expressions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

# How deep variables may contain one another.
_DEEPEST: Final = 50
_NAME: Final = re.compile(r"\d++|[@*#?$!-]|\w++")
_PLAIN: Final = re.compile(r"[^\\`'\"$</}\s]++")
_HERE: Final = re.compile(r"<(?:<[\t\r ]*+)?")
# What may follow a name in ${NAME…}, besides "}" and "/".
_SIGNS: Final = frozenset({"-", "+", "?", ":-", ":+", ":?", "#", "%"})
_SPLIT: Final = re.compile(r"(\s++)")
# A word, up to a blank outside quotes.
_WORD: Final = {
    sign: re.compile(rf"(?:{escape}.?|'[^']*+'?|\"(?:{escape}.?|[^\"{escape}]++)*+\"?|[^\s'\"{escape}]++)++", re.DOTALL)
    for sign, escape in {"\\": r"\\", "`": "`"}.items()
}
# The blanks between words, and nothing else that Unicode calls a blank.
BLANKS: Final = "\t\v\f\r "


def quoted_words(text: str, escape: str) -> Iterator[re.Match[str]]:
    """Yield the words of a text, which blanks outside quotes separate. They keep their quotes."""
    return _WORD[escape].finditer(text)


def unquoted(text: str, escape: str) -> str:
    """Remove quotes and escapes, as in the value of a flag."""
    return re.sub(rf"{re.escape(escape)}(.)|[\"']", r"\1", text)


def shell_words(text: str) -> list[str]:
    """Split a text into the words in which BuildKit looks for here-documents.

    Words keep their quotes, escapes and variables. Returns nothing for a text that BuildKit cannot split, such as one
    with an odd number of quotes: it sees no here-document in it.
    """
    try:
        parts = _Lexer(text, "\\", None).parts()
    except ValueError:
        return []
    return list(_joined(parts))


def name_of_end(word: str) -> str:
    """The text of the line that ends a here-document, from the word behind ``<<``; empty if it names none."""
    try:
        words = list(_joined(_Lexer(word, "\\", None, keep=False).parts()))
    except ValueError:
        return ""
    return words[0] if len(words) == 1 else ""


def expand(text: str, values: Mapping[str, str], escape: str = "\\") -> str:
    """Replace variables, and remove quotes and escapes. A variable without a value is empty.

    Supports what ``FROM`` and ``ARG`` do: ``$A``, ``${A}``, ``${A-b}``, ``${A+b}``, ``${A?b}``, each of them with
    ``:`` too, ``${A#b}``, ``${A##b}``, ``${A%b}``, ``${A%%b}``, ``${A/b/c}`` and ``${A//b/c}``. Raises `ValueError`
    where BuildKit refuses the text, with the reason.
    """
    return "".join(part for part, _ in _Lexer(text, escape, values).parts())


def _joined(parts: Sequence[tuple[str, bool]]) -> Iterator[str]:
    """Join the parts of a text to words. Only some parts are split at blanks."""
    word: list[str] = []
    for part, split in parts:
        for chunk in _SPLIT.split(part) if split else (part,):
            if split and chunk.isspace():
                if any(word):
                    yield "".join(word)
                    word = []
            else:
                word.append(chunk)
    if any(word):
        yield "".join(word)


class _Lexer:
    """Reads a text from its beginning to its end. Without ``values``, variables stay as they are written."""

    def __init__(self, text: str, escape: str, values: Mapping[str, str] | None, *, keep: bool | None = None) -> None:
        self._text = text
        self._at = 0
        self._escape = escape
        self._values = values
        self._keep = values is None if keep is None else keep
        self._depth = 0

    def parts(self, stop: str = "", *, keep_escapes: bool | None = None) -> list[tuple[str, bool]]:
        """Read up to a character outside quotes, or to the end. The parts say whether blanks split them."""
        text, parts = self._text, list[tuple[str, bool]]()
        keep_escapes = self._keep if keep_escapes is None else keep_escapes
        while self._at < len(text):
            here = text[self._at]
            if here == stop:
                self._at += 1
                return parts
            if here == "$":
                parts.append((self._variable(), True))
            elif here == "'":
                parts.append((self._single(), False))
            elif here == '"':
                parts.append((self._double(keep_escapes=keep_escapes), False))
            elif here == "<":
                parts.append((self._matched(_HERE), False))
            elif here == self._escape:
                escaped = text[self._at + 1 : self._at + 2]
                self._at += 2
                parts.append(((here if keep_escapes else "") + escaped, False))
            else:
                parts.append((self._matched(_PLAIN) or self._next(), True))
        if stop:
            raise ValueError(f"there is no {stop} at its end")
        return parts

    def _next(self) -> str:
        """Read one character; nothing at the end."""
        self._at += 1
        return self._text[self._at - 1 : self._at]

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _matched(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[0]

    def _single(self) -> str:
        start, end = self._at + 1, self._text.find("'", self._at + 1)
        if end < 0:
            raise ValueError("a ' has no second one")
        self._at = end + 1
        return self._text[start - 1 : end + 1] if self._keep else self._text[start:end]

    def _double(self, *, keep_escapes: bool) -> str:
        quote = self._next() if self._keep else self._next()[:0]
        parts = [quote]
        while (here := self._peek()) != '"':
            if not here:
                raise ValueError('a " has no second one')
            if here == "$":
                parts.append(self._variable())
                continue
            self._at += 1
            if here != self._escape:
                parts.append(here)
                continue
            # Only these are escaped between double quotes; any other escape stands for itself.
            escaped = self._next() if self._peek() in {'"', "$", self._escape} else ""
            parts.append(here + escaped if keep_escapes or not escaped else escaped)
        self._at += 1
        return "".join([*parts, quote])

    def _variable(self) -> str:
        """Read a variable. Returns its value, or the variable itself if there are no values."""
        start = self._at
        self._at += 1
        if self._peek() != "{":
            name = self._matched(_NAME)
            value = self._value(name) or "" if name else "$"
            return value if self._values is not None else self._text[start : self._at]
        self._at += 1
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} variables contain one another")
        value = self._substituted()
        self._depth -= 1
        return value if self._values is not None else self._text[start : self._at]

    def _value(self, name: str) -> str | None:
        return None if self._values is None else self._values.get(name)

    def _substituted(self) -> str:
        """Read a variable from behind its ``${``."""
        if self._peek() in {"", "{", "}", ":"}:
            raise ValueError("${ is not followed by a name")
        name = self._matched(_NAME)
        sign = self._next()
        if sign == "}":
            return self._value(name) or ""
        if sign == "/":
            return self._replaced(self._value(name))
        sign += self._next() if sign == ":" else ""
        # Where variables stay, any sign passes behind a colon, as in the shell's ${A:0:1}.
        if sign not in _SIGNS and not (self._values is None and sign[:1] == ":" and sign not in {":", ":#", ":%"}):
            raise ValueError(f"${{{name}{sign} is not supported")
        other = self._word("}", keep_escapes=sign in {"#", "%"})
        return "" if self._values is None else _applied(sign, name, self._values.get(name), other)

    def _replaced(self, value: str | None) -> str:
        everywhere = self._peek() == "/"
        self._at += everywhere
        pattern = self._word("/", keep_escapes=True)
        replacement = self._word("}", keep_escapes=True)
        return "" if self._values is None else _replace(value or "", pattern, replacement, everywhere=everywhere)

    def _word(self, stop: str, *, keep_escapes: bool) -> str:
        return "".join(part for part, _ in self.parts(stop, keep_escapes=keep_escapes))


def _applied(sign: str, name: str, value: str | None, other: str) -> str:
    """The value of a variable with a sign and a word behind its name."""
    if sign in {"#", "%"}:
        return _without(value or "", other, sign)
    if sign.startswith(":"):
        value = value or None
    if sign.endswith("+"):
        return "" if value is None else other
    if sign.endswith("?") and value is None:
        raise ValueError(f"{name}: {other or 'it has no value'}")
    return other if value is None else value


_Glob = Sequence[tuple[str, bool]]


def _glob(pattern: str) -> list[tuple[str, bool]]:
    """Parse a pattern: literal characters, and ``?`` and ``*`` marked as special."""
    found: list[tuple[str, bool]] = []
    signs = iter(pattern)
    for sign in signs:
        literal = sign
        if sign == "\\":
            literal = next(signs, "")
            if literal not in {"}", "/", "*", "?", "\\"} or not literal:
                raise ValueError(f"the pattern {pattern} escapes {literal or 'nothing'}")
        found.append((literal, sign in {"*", "?"}))
    return found


def _ends(glob: _Glob, text: str, starts: int) -> int:
    """The positions at which matches end that begin at one of ``starts``. Sets of positions are bits of a number."""
    everywhere = (1 << (len(text) + 1)) - 1
    places: dict[str, int] = {}
    for at, sign in enumerate(text):
        places[sign] = places.get(sign, 0) | 1 << at
    for sign, special in glob:
        if not starts:
            break
        if not special:
            starts = (starts & places.get(sign, 0)) << 1
        elif sign == "?":
            starts = starts << 1 & everywhere
        else:
            starts = everywhere & -(starts & -starts)
    return starts


def _lowest(positions: int) -> int:
    return (positions & -positions).bit_length() - 1


def _without(value: str, pattern: str, sign: str) -> str:
    """Remove the shortest match at the beginning (``#``) or the end (``%``); the longest if the sign is doubled."""
    longest = pattern.startswith(sign)
    glob = _glob(pattern[1:] if longest else pattern)
    if sign == "%":
        glob, value = glob[::-1], value[::-1]
    if ends := _ends(glob, value, 1):
        value = value[ends.bit_length() - 1 if longest else _lowest(ends) :]
    return value[::-1] if sign == "%" else value


def _replace(value: str, pattern: str, replacement: str, *, everywhere: bool) -> str:
    """Replace the first match, or every one. Of several at one place the longest counts."""
    glob = _glob(pattern)
    if not glob and everywhere:
        return replacement.join(["", *value, ""])
    # From right to left, the reversed pattern ends where a match may begin.
    backwards = _ends(glob[::-1], value[::-1], (1 << (len(value) + 1)) - 1)
    starts = [len(value) - at for at in range(len(value), -1, -1) if backwards >> at & 1]
    done, parts = 0, []
    for start in starts:
        if start < done:
            continue
        # A match with a * reaches as far as its last part occurs, so it is the only one.
        end = start + len(glob)
        many = any(special and sign == "*" for sign, special in glob)
        if many:
            end = _ends(glob, value, 1 << start).bit_length() - 1
        parts += [value[done:start], replacement]
        done = end
        if many or not everywhere:
            break
    return "".join([*parts, value[done:]])
