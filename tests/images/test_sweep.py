"""Mark and sweep: every remaining tag still resolves, for any repository, even if some of it is unreadable."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmoor.images.sweep import DAY, Graph, Node, RetentionRules, Sweep, Why, sweep

NOW = 1_800_000_000.0
OLD = NOW - 100 * DAY
ALL = RetentionRules(keep=0)


def digest(name: str) -> str:
    """Return a digest for a short name."""
    return f"sha256:{name.encode().hex():0>64}"


def graph(nodes: Mapping[str, Node | tuple[str, ...]], tags: Mapping[str, str]) -> Graph:
    """Return a graph from short names: a tuple has the children of an old manifest."""
    made = {}
    for name, node in nodes.items():
        if isinstance(node, tuple):
            children = tuple(map(digest, node))
            made[digest(name)] = Node(digest=digest(name), children=children, created=OLD)
        else:
            made[digest(name)] = node
    return Graph(nodes=made, tags={tag: digest(name) for tag, name in tags.items()})


def old(name: str, **more: object) -> Node:
    """Return an old manifest."""
    values: dict[str, object] = {"digest": digest(name), "created": OLD, **more}
    return Node(**values)  # type: ignore[arg-type]


def gone(answer: Sweep) -> list[str]:
    """Return the short names of what is deleted, in order."""
    return [bytes.fromhex(each[7:]).strip(b"\0").decode() for each in answer.gone]


CASES: dict[str, tuple[Graph, RetentionRules, list[str]]] = {
    "untagged": (graph({"a": (), "b": ()}, {"v1": "a"}), ALL, ["b"]),
    "children of a tagged index": (graph({"i": ("a", "b"), "a": (), "b": ()}, {"v1": "i"}), ALL, []),
    "an untagged index before its parts": (graph({"i": ("a", "b"), "a": (), "b": ()}, {}), ALL, ["i", "a", "b"]),
    "a shared part stays": (graph({"i": ("a", "b"), "j": ("b",), "a": (), "b": ()}, {"v1": "j"}), ALL, ["i", "a"]),
    "indexes of indexes": (graph({"i": ("j",), "j": ("a",), "a": ()}, {"v1": "i"}), ALL, []),
    "a tag of a commit goes": (graph({"a": (), "b": ()}, {"sha-0123456789ab": "a", "v1": "b"}), ALL, ["a"]),
    "with a version on it, too, it stays": (graph({"a": ()}, {"sha-0123456789ab": "a", "v1": "a"}), ALL, []),
    "a branch stays": (graph({"a": ()}, {"main": "a"}), ALL, []),
    "a pull request goes": (graph({"a": ()}, {"pr-7": "a"}), ALL, ["a"]),
    "protected": (graph({"a": ()}, {"pr-7": "a"}), RetentionRules(keep=0, protect=("pr-7*",)), []),
    "named to go": (graph({"a": ()}, {"nightly-1": "a"}), RetentionRules(keep=0, passing=("nightly-*",)), ["a"]),
    "young": (graph({"a": Node(digest=digest("a"), created=NOW - DAY)}, {}), ALL, []),
    "undated": (graph({"a": Node(digest=digest("a"))}, {}), ALL, []),
    "the newest": (
        graph({"a": old("a", created=OLD - 1), "b": old("b"), "c": old("c", created=OLD + 1)}, {}),
        RetentionRules(keep=2),
        ["a"],
    ),
    "a referrer of what stays": (graph({"a": (), "s": old("s", subject=digest("a"))}, {"v1": "a"}), ALL, []),
    "the parts of a referrer": (
        graph({"a": (), "s": old("s", subject=digest("a"), children=(digest("p"),)), "p": ()}, {"v1": "a"}),
        ALL,
        [],
    ),
    "a referrer goes before its subject": (graph({"a": (), "s": old("s", subject=digest("a"))}, {}), ALL, ["s", "a"]),
    "a referrer of what is gone": (graph({"s": old("s", subject=digest("x"))}, {}), ALL, ["s"]),
    "a signature's tag stays with its image": (
        graph({"a": (), "s": ()}, {"v1": "a", digest("a").replace(":", "-") + ".sig": "s"}),
        ALL,
        [],
    ),
    "a signature's tag goes with its image": (
        graph({"a": (), "s": ()}, {"pr-1": "a", digest("a").replace(":", "-") + ".sig": "s"}),
        ALL,
        ["s", "a"],
    ),
    "an attestation in an index": (graph({"i": ("a", "t"), "a": (), "t": ()}, {"v1": "i"}), ALL, []),
    "a part that is not listed keeps the index": (graph({"i": ("a", "x"), "a": ()}, {}), ALL, []),
    "a part that is lost keeps the index": (graph({"i": ("a", "x"), "a": (), "x": old("x", lost="404")}, {}), ALL, []),
    "what is lost and may name anything keeps everything": (
        graph({"a": (), "x": old("x", lost="timed out", children=None)}, {}),
        ALL,
        [],
    ),
    "what is lost and is no index keeps itself alone": (
        graph({"a": (), "x": old("x", lost="timed out")}, {}),
        ALL,
        ["a"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_deleted(name: str) -> None:
    """Each repository has the expected deletions, in order."""
    seen, rules, expected = CASES[name]
    answer = sweep(seen, rules, now=NOW)
    assert gone(answer) == expected
    assert set(answer.kept) | set(answer.gone) == set(seen.nodes)


@pytest.mark.parametrize(
    ("name", "of", "why"),
    [
        ("children of a tagged index", "i", Why.TAGGED),
        ("children of a tagged index", "a", Why.NEEDED),
        ("a referrer of what stays", "s", Why.ABOUT),
        ("young", "a", Why.YOUNG),
        ("undated", "a", Why.UNDATED),
        ("the newest", "c", Why.NEWEST),
        ("a part that is lost keeps the index", "x", Why.LOST),
        ("a part that is lost keeps the index", "a", Why.UNSURE),
        ("what is lost and may name anything keeps everything", "a", Why.UNSURE),
    ],
)
def test_why_the_rest_stays(name: str, of: str, why: Why) -> None:
    """Everything that stays has a reason."""
    seen, rules, _ = CASES[name]
    assert sweep(seen, rules, now=NOW).kept[digest(of)] is why


TAGS = st.sampled_from(["v1", "1.0", "latest", "main", "sha-0123456789ab", "sha-ba9876543210", "pr-1", "pr-2"])


@st.composite
def repositories(draw: st.DrawFn) -> tuple[Graph, Graph, RetentionRules]:
    """A repository, the same repository as it was read (parts missing or unreadable), and rules."""
    names = [digest(str(number)) for number in range(draw(st.integers(1, 12)))]
    # The digest of a whole depends on those of its parts: nothing names what comes later.
    true: dict[str, Node] = {}
    for number, name in enumerate(names):
        earlier = names[:number]
        chosen = st.lists(st.sampled_from(earlier), unique=True, max_size=4) if earlier else st.just([])
        subject = draw(st.none() | st.sampled_from(earlier)) if earlier else None
        created = draw(st.none() | st.floats(OLD - 10 * DAY, NOW))
        true[name] = Node(digest=name, children=tuple(draw(chosen)), subject=subject, created=created)
    tags = draw(st.dictionaries(TAGS, st.sampled_from(names), max_size=6))
    seen: dict[str, Node] = {}
    for name, node in true.items():
        # Only a manifest without parts may be known to be none of an index.
        how = draw(st.sampled_from(["read", "read", "read", "unread"] + ([] if node.children else ["leaf"])))
        match how:
            case "read":
                seen[name] = node
            case "unread":
                seen[name] = Node(digest=name, children=None, created=node.created, lost="timed out")
            case _:
                seen[name] = Node(digest=name, created=node.created, lost="timed out")
    rules = RetentionRules(
        keep=draw(st.integers(0, 3)),
        older_than=draw(st.sampled_from([0.0, 30 * DAY])),
        protect=draw(st.sampled_from([(), ("pr-1",)])),
    )
    return Graph(nodes=true, tags=tags), Graph(nodes=seen, tags=tags), rules


def reached(nodes: Mapping[str, Node], start: str) -> set[str]:
    """Return everything that a digest needs: itself, its parts, and their parts."""
    found = {start}
    for child in nodes[start].children or ():
        found |= reached(nodes, child)
    return found


@given(repositories())
def test_every_remaining_tag_still_resolves(case: tuple[Graph, Graph, RetentionRules]) -> None:
    """It resolves fully, even if some manifests were unreadable; its known referrers stay, too."""
    true, seen, rules = case
    answer = sweep(seen, rules, now=NOW)
    going = set(answer.gone)
    for tag, at in true.tags.items():
        if at in going:
            assert tag.startswith(("sha-", "pr-"))
            assert tag not in rules.protect
            continue
        needed = reached(true.nodes, at)
        assert not needed & going
        assert not {each for each, node in seen.nodes.items() if node.subject in needed} & going


@given(repositories())
def test_no_deletion_leaves_anything_dangling(case: tuple[Graph, Graph, RetentionRules]) -> None:
    """After each step every remaining manifest has all its parts, because a run can stop anywhere."""
    true, seen, rules = case
    there = set(true.nodes)
    for each in sweep(seen, rules, now=NOW).gone:
        there.remove(each)
        for other in there:
            assert set(true.nodes[other].children or ()) <= there


@given(repositories())
def test_only_candidates_are_deleted(case: tuple[Graph, Graph, RetentionRules]) -> None:
    """No unread, undated or young version is deleted, and none of the newest."""
    _, seen, rules = case
    answer = sweep(seen, rules, now=NOW)
    named = {child for node in seen.nodes.values() for child in node.children or ()}
    roots = {each for each, node in seen.nodes.items() if each not in named and node.subject is None}
    for each in answer.gone:
        node = seen.nodes[each]
        assert not node.lost
        if each in roots:
            assert node.created is not None
            assert NOW - node.created >= rules.older_than
    kept = [each for each in roots if each in answer.kept]
    assert len(kept) >= min(rules.keep, len(roots))
    assert set(answer.kept).isdisjoint(answer.gone)


def test_a_cycle_of_referrers_ends() -> None:
    """The sweep still answers if a broken registry lists one."""
    nodes = {digest("a"): old("a", subject=digest("b")), digest("b"): old("b", subject=digest("a"))}
    answer = sweep(Graph(nodes=nodes, tags={}), ALL, now=NOW)
    assert sorted(answer.gone) == sorted(nodes)
