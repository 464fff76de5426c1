"""A result comes from a job that ran code of the project: only what it names may change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec
import pytest

from unmoor.errors import Refused
from unmoor.maintenance.updates.examine import read_result, require_believable
from unmoor.maintenance.updates.groups import Update, UpdateGroup
from unmoor.maintenance.updates.lock import Move
from unmoor.maintenance.updates.result import TestedGroup, UpdateResult
from unmoor.util.values import replace

INDEX, HOST = "https://index.example/simple", "https://files.example"
HASH = "0" * 64


def entry(name: str, version: str, *, index: str = INDEX, host: str = HOST, digest: str = HASH, file: str = "") -> str:
    """The entry of a package in a lock."""
    wheel = file or f"{name}-{version}-py3-none-any.whl"
    return (
        f'\n[[package]]\nname = "{name}"\nversion = "{version}"\nsource = {{ registry = "{index}" }}\n'
        f'wheels = [{{ url = "{host}/{wheel}", hash = "sha256:{digest}" }}]\n'
    )


def lock(*entries: str, head: str = "", depends: str = '{ name = "aa" }') -> str:
    """A lock of a project with these packages."""
    own = f'\n[[package]]\nname = "demo"\nversion = "1"\nsource = {{ virtual = "." }}\ndependencies = [{depends}]\n'
    return f'version = 1\nrequires-python = ">=3.11"\n{head}{own}{"".join(entries)}'


BEFORE = lock(entry("aa", "1.0"), entry("bb", "1.0"))
AFTER = lock(entry("aa", "1.1"), entry("bb", "1.0"), entry("cc", "3.0"))
GROUP = TestedGroup(
    group=UpdateGroup.MINOR,
    updates=(Update(name="aa", before="1.0", after="1.1", group=UpdateGroup.MINOR),),
    also=(Move(name="cc", after="3.0"),),
    lock=AFTER,
)
GOOD = UpdateResult(commit="a" * 40, lock_sha256=hashlib.sha256(BEFORE.encode()).hexdigest(), groups=(GROUP,))


def with_lock(text: str) -> UpdateResult:
    """The good result with another lock."""
    return replace(GOOD, groups=(replace(GROUP, lock=text),))


def test_what_the_updates_say_is_believed() -> None:
    """A result is read back as it was written, and its lock changes what it names."""
    found = read_result(msgspec.json.encode(GOOD), "result.json")
    assert found == GOOD
    require_believable(found, BEFORE.encode(), "result.json")


AA, BB, CC = entry("aa", "1.1"), entry("bb", "1.0"), entry("cc", "3.0")


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (replace(GOOD, lock_sha256="0" * 64), "another lock"),
        (replace(GOOD, groups=(GROUP, GROUP)), "not in order"),
        (replace(GOOD, groups=(GROUP, replace(GROUP, group=UpdateGroup.SECURITY))), "not in order"),
        (replace(GOOD, groups=(replace(GROUP, updates=()),)), "no updates"),
        (replace(GOOD, groups=(replace(GROUP, group=UpdateGroup.MAJOR),)), "another group"),
        (replace(GOOD, groups=(replace(GROUP, also=()),)), "other packages than it names"),
        (replace(GOOD, groups=(replace(GROUP, also=(*GROUP.also, *GROUP.also)),)), "other packages than it names"),
        (replace(GOOD, groups=(replace(GROUP, also=(Move(name="../x", after="1"),)),)), "no name with versions"),
        (replace(GOOD, groups=(replace(GROUP, also=(Move(name="cc", after="3 | @all"),)),)), "no name with versions"),
        (with_lock("["), "cannot be read"),
        (with_lock(lock(AA, entry("bb", "1.1"), CC)), "other packages than it names"),
        (with_lock(lock(AA, entry("bb", "0.9"), CC)), "does not rise"),
        (with_lock(lock(AA, entry("bb", "1.0", digest="1" * 64), CC)), "the entry of bb 1.0 is another one"),
        (with_lock(lock(AA, entry("bb", "1.0", host="https://evil.example"), CC)), "the entry of bb 1.0"),
        (with_lock(lock(AA, BB, entry("cc", "3.0", index="https://evil.example/simple"))), "from an index that"),
        (with_lock(lock(AA, BB, entry("cc", "3.0", host="https://evil.example"))), "from a host that"),
        (with_lock(lock(AA, BB, entry("cc", "3.0", digest="1"))), "no sha256"),
        (with_lock(lock(AA, BB, entry("cc", "3.0", file="dd-3.0-py3-none-any.whl"))), "the name of another one"),
        (with_lock(lock(AA, BB, entry("cc", "3.0", file="cc-3.0.exe"))), "the name of another one"),
        (with_lock(lock(AA, BB, CC, head='[options]\nexclude-newer = "2020-01-01T00:00:00Z"\n')), "more than packages"),
        (with_lock(lock(AA, BB, CC, depends='{ name = "cc" }')), "what the project depends on"),
        (
            with_lock(lock(AA, BB, CC) + '\n[[package]]\nname = "x"\nversion = "1"\nsource = { git = "https://e" }\n'),
            "from an index",
        ),
    ],
)
def test_anything_else_is_refused(result: UpdateResult, said: str) -> None:
    """Each way to smuggle something in has its message."""
    with pytest.raises(Refused, match=said):
        require_believable(result, BEFORE.encode(), "result.json")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _data: b"",
        lambda _data: b"[]",
        lambda data: data[:-1],
        lambda data: data.replace(b'"format":1', b'"format":2'),
        lambda data: data.replace(b"a" * 40, b"../../etc"),
        lambda data: data.replace(b'"minor"', b'"other"'),
        lambda data: data + b" " * 60_000_000,
    ],
    ids=["empty", "list", "cut off", "format", "commit", "group", "large"],
)
def test_what_is_no_result_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    """Another document, a part of one and a large one are not read."""
    with pytest.raises(Refused, match="not usable"):
        read_result(spoil(msgspec.json.encode(GOOD)), "result.json")
