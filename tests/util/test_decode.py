"""JSON and TOML from outside are what they must be, or one error."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from unmoor.util.decode import decode_json, decode_toml, is_json_value


@dataclass(frozen=True)
class Named:
    """What is expected."""

    name: str


def test_what_fits_is_read() -> None:
    """As a class, or as a plain value."""
    assert decode_json(b'{"name": "demo", "more": 1}', Named) == Named("demo")
    assert decode_json(b'{"name": [1]}', dict[str, Any]) == {"name": [1]}


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", Named),
        (b"<html>", Named),
        (b'{"name": ', Named),
        (b'{"name": 1}', Named),
        (b'{"name": "\xff"}', Named),
        (b"\xff\xfe", Named),
        (b"[]", dict),
        (b'{"name": "demo", "more": ' + b"[" * 100_000, Named),
        (b"[" * 100_000, list),
        (b"[" * 101 + b"]" * 101, list),
    ],
    ids=["nothing", "a page", "half", "a number", "not UTF-8", "not text", "a list", "deep", "deep list", "101 deep"],
)
def test_anything_else_is_one_error(data: bytes, kind: type[object]) -> None:
    """Which says what is wrong."""
    with pytest.raises(ValueError, match=r"\w+"):
        decode_json(data, kind)


@pytest.mark.parametrize(
    ("data", "is_value"),
    [
        (b'{"a": 1}', True),
        (b" \n[1]", True),
        (b"1", False),
        (b'"a"', False),
        (b"", False),
        (b"<html>", False),
        (b'{"a": ', False),
        (b'{"a": 1} x', False),
        (b"[" * 100_000, False),
    ],
    ids=["object", "list", "number", "text", "nothing", "page", "half", "more", "deep"],
)
def test_an_object_or_a_list_is_a_value(data: bytes, *, is_value: bool) -> None:
    """Anything else is no answer of an API."""
    assert is_json_value(data) == is_value


def test_toml_is_read() -> None:
    """As text or bytes; a long dotted value is no key."""
    text = f'a.b."c.d" = 1\nurl = "https://{"a." * 100}example.org"\nlist = [[1.5]]\n'
    expected = {"a": {"b": {"c.d": 1}}, "url": f"https://{'a.' * 100}example.org", "list": [[1.5]]}
    assert decode_toml(text) == decode_toml(text.encode()) == expected


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a = ", "Invalid value"),
        (b"\xff", "utf-8"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"a = " + b"{a=" * 100_000, "nested too deeply"),
        (b"a = " + b"[" * 101 + b"]" * 101, "nested too deeply"),
        (b"a." * 100_000 + b"a = 1", "more than 64 parts"),
        (b"[" + b'"a" . ' * 100 + b"b]", "more than 64 parts"),
        (b"x = {" + b"'a'." * 65 + b"a = 1}", "more than 64 parts"),
    ],
    ids=[
        "half",
        "not UTF-8",
        "deep lists",
        "deep tables",
        "101 deep",
        "a long key",
        "a long header",
        "a long inline key",
    ],
)
def test_other_toml_is_one_error(data: bytes, words: str) -> None:
    """Neither its depth nor the length of its keys is a fault of the reader."""
    with pytest.raises(ValueError, match=words):
        decode_toml(data)


_MANY_THREADS = """
import sys, threading
from unmoor.util.decode import decode_json
sys.setswitchinterval(1e-6)
CLASSES = '''
from __future__ import annotations
import msgspec
class Inner(msgspec.Struct, frozen=True):
    number: int
    text: str = ""
class Middle(msgspec.Struct, frozen=True):
    one: Inner
    more: tuple[Inner, ...] = ()
class Outer(msgspec.Struct, frozen=True):
    one: Middle
    two: Inner
'''
for _ in range(60):
    names = {"__name__": "__main__"}
    exec(CLASSES, names)
    globals().update(names)  # where msgspec looks for the names in annotations
    meeting = threading.Barrier(6)
    def decode(kind, data):
        meeting.wait()
        for _ in range(20):
            decode_json(data, kind)
    work = [(Outer, b'{"one": {"one": {"number": 1}}, "two": {"number": 2}}'), (Middle, b'{"one": {"number": 1}}')] * 3
    threads = [threading.Thread(target=decode, args=each) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_threads_may_meet_a_type_for_the_first_time() -> None:
    """Msgspec alone ends the process with a segmentation fault if two threads do."""
    ran = subprocess.run([sys.executable, "-c", _MANY_THREADS], capture_output=True, text=True, check=False, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
