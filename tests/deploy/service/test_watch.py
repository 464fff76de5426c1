"""A version is judged by what was counted since the watch began, whatever the proxy had counted before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmoor.deploy.service.watch import LEAST, Watch, WatchLimits, mean_since
from unmoor.ports.proxy import Admin, ProxyServer
from unmoor.util.values import replace

LIMITS = WatchLimits(errors=0.01, latency=500.0)
SERVER = ProxyServer(name="blue", address="127.0.0.1", port=9101, admin=Admin.READY, up=True, backup=False)


def server(responses: int, failed: int = 0, broken: int = 0, latency: float = 0.0) -> ProxyServer:
    """A server with these counters."""
    return replace(SERVER, responses=responses, failed=failed, broken=broken, latency=latency)


def moving_average(times: list[float], average: float = 0.0, seen: int = 0) -> float:
    """HAProxy's average: over all requests until there are 512, then each new one counts a 512th."""
    for time in times:
        seen += 1
        window = min(seen, 512)
        average += (time - average) / window
    return average


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        (server(0), server(1_000, 10), ""),
        (server(0), server(1_000, 11), "11 of 1000 requests failed (1.1%), and max-errors is 1%"),
        (server(0), server(995, 5, 6), "11 of 1001 requests failed (1.1%), and max-errors is 1%"),
        (server(9_000, 9_000, 50), server(10_000, 9_005, 51), ""),
        (server(0), server(LEAST - 1, LEAST - 1), ""),
        (server(0), server(LEAST, 1), "1 of 20 requests failed (5.0%), and max-errors is 1%"),
        (server(0), server(100, latency=500.0), ""),
        (server(0), server(100, latency=501.0), "the mean latency is 501 ms, and max-latency is 500 ms"),
    ],
    ids=["limit", "errors", "broken", "former errors", "few", "enough", "latency", "slow"],
)
def test_a_fault(before: ProxyServer, after: ProxyServer, fault: str) -> None:
    """Only what is beyond a limit is one, and only of enough requests."""
    assert Watch.begin(LIMITS, "1", before).see("1", after).fault == fault


def test_a_restart_of_the_proxy_loses_nothing() -> None:
    """What was counted before it is kept, and the counters begin again."""
    seen = Watch.begin(LIMITS, "1", server(500, 100)).see("1", server(600, 100)).see("2", server(30, 1))
    assert (seen.counted.requests, seen.counted.failed) == (130, 1)
    seen = seen.see("2", server(40, 1))
    assert (seen.counted.requests, seen.counted.failed) == (140, 1)


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=8),
    st.integers(0, 7),
)
def test_the_sum_of_all_looks_is_what_happened(steps: list[tuple[int, int]], restart: int) -> None:
    """However often it is looked, and wherever the proxy restarts, each request counts once."""
    responses = failed = process = 0
    seen = Watch.begin(LIMITS, "0", server(0))
    for number, (fine, bad) in enumerate(steps):
        if number == restart:
            responses, failed, process = 0, 0, 1
        responses, failed = responses + fine + bad, failed + bad
        seen = seen.see(str(process), server(responses, failed))
    assert seen.counted.requests == sum(fine + bad for fine, bad in steps)
    assert seen.counted.failed == sum(bad for _, bad in steps)


@pytest.mark.parametrize("new", [40, 200, 2_000], ids=str)
@pytest.mark.parametrize("old", [0, 100, 600, 5_000], ids=str)
@pytest.mark.parametrize(("slow", "fast"), [(900.0, 20.0), (20.0, 900.0)], ids=["faster", "slower"])
def test_the_mean_of_the_new_requests(old: int, new: int, slow: float, fast: float) -> None:
    """HAProxy's average over 512 requests still contains the former version's; their part is subtracted."""
    before = moving_average([slow] * old)
    after = moving_average([fast] * new, before, old)
    found = mean_since(server(old, latency=round(before)), server(old + new, latency=round(after)))
    assert found == pytest.approx(fast, abs=16.0)


def test_a_few_requests_have_no_mean() -> None:
    """The rounding of the average would be larger than any difference."""
    assert mean_since(server(5_000, latency=10), server(5_000 + LEAST - 1, latency=400)) == 0.0
