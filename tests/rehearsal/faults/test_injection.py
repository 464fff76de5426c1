"""The text form of injections and plans reads back equal, and what is none is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmoor.rehearsal.faults import routes
from unmoor.rehearsal.faults.injection import JOURNAL, Injected, Injection, Kill, Plan, Signal, When, parse

ADDRESSES = [(service, route) for service in routes.TABLES for route in routes.routes(service)]
NUMBERS = st.integers(1, 999_999)
INJECTIONS = st.builds(
    lambda fault, at, nth, times: Injection(fault=fault, service=at[0], route=at[1], nth=nth, times=times),
    st.from_regex(r"[a-z][a-z-]{0,38}[a-z]", fullmatch=True),
    st.sampled_from([*ADDRESSES, ("pypi", "*"), ("registry2", "GET =/v2/*"), (JOURNAL, "upload/made")]),
    NUMBERS,
    st.integers(0, 999_999),
)
KILLS = st.builds(
    lambda signal, at, nth, when: Kill(signal=signal, service=at[0], route=at[1], nth=nth, when=when),
    st.sampled_from(Signal),
    st.sampled_from(ADDRESSES),
    NUMBERS,
    st.sampled_from([When.BEFORE, When.AFTER]),
) | st.builds(
    lambda signal, nth: Kill(signal=signal, service=JOURNAL, route="upload/made", nth=nth),
    st.sampled_from(Signal),
    NUMBERS,
)


@given(INJECTIONS | KILLS)
def test_text_reads_back(injected: Injected) -> None:
    """What is written is what is read."""
    assert parse(str(injected)) == injected


@settings(max_examples=30)
@given(st.lists(INJECTIONS | KILLS, max_size=4), st.text(max_size=20), st.text(max_size=20))
def test_plan_reads_back(injections: list[Injected], name: str, tag: str) -> None:
    """A plan is the same after its file."""
    plan = Plan(round=name, injections=tuple(injections), tag=tag)
    assert Plan.decode(plan.encode()) == plan


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but `ValueError` comes of a text that is no injection."""
    try:
        injected = parse(text)
    except ValueError:
        return
    assert parse(str(injected)) == injected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lost-reply",
        "lost-reply@pypi:POST /legacy/",
        "lost-reply@pypi:POST /legacy/#0",
        "lost-reply@pypi:POST /legacy/#1x1",
        "lost-reply@pypi:POST /legacy/#1:before",
        "KILL@pypi:POST /legacy/#1",
        "KILL@journal:upload/made#1:after",
        "KILL@pypi:POST /legacy/#1x2:after",
        "down@pypi:POST\n/legacy/#1",
        "down@pypi:GET /" + "a" * 300 + "#1",
    ],
)
def test_what_is_no_injection(text: str) -> None:
    """A number, a route and, for a kill, the side of the request must be there."""
    with pytest.raises(ValueError, match=r"injection|kill"):
        parse(text)


@pytest.mark.parametrize(
    ("nth", "times", "met"), [(1, 1, [1]), (2, 1, [2]), (2, 2, [2, 3]), (3, 0, [3, 4, 5]), (6, 0, [])]
)
def test_which_requests_are_met(nth: int, times: int, met: list[int]) -> None:
    """The nth, and as many as are told, or all."""
    injection = Injection(fault="down", service="pypi", route="*", nth=nth, times=times)
    assert [number for number in range(1, 6) if injection.meets(number)] == met


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"rounds": 1}', b'{"injections": ["x"]}', b'{"injections": 1}'])
def test_broken_plan(data: bytes) -> None:
    """A file that is no plan is one error."""
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the parsers'
        Plan.decode(data)
