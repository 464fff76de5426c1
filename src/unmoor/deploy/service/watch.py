"""Judge a new version by what the proxy counts of its answers while users use it."""

from __future__ import annotations

import msgspec

from unmoor.ports.proxy import ProxyServer
from unmoor.util.values import replace

LEAST = 20
"""Requests that must be counted before their share of errors or their latency means anything."""
_WINDOW = 512
"""The number of requests over which HAProxy averages times: TIME_STATS_SAMPLES in its source."""


class WatchLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Beyond what the new version is taken back: a share of failed requests (0 to 1), a mean latency in ms."""

    errors: float
    latency: float


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What the proxy counted since the watch began. ``latency`` is the mean in ms, 0 while it means nothing."""

    requests: int = 0
    failed: int = 0
    latency: float = 0.0


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """One watch: the counters when it began, those of the last look, and what was counted between.

    The proxy's counters begin at 0 with each of its processes, so a new process changes ``process``.
    """

    limits: WatchLimits
    process: str
    before: ProxyServer
    last: ProxyServer
    counted: Counted = Counted()

    @classmethod
    def begin(cls, limits: WatchLimits, process: str, server: ProxyServer) -> Watch:
        """Begin with the counters as they are."""
        return cls(limits=limits, process=process, before=server, last=server)

    def see(self, process: str, server: ProxyServer) -> Watch:
        """Add what was counted since the last look."""
        restarted = process != self.process or server.responses < self.last.responses
        zero = replace(server, responses=0, failed=0, broken=0, latency=0.0)
        last = zero if restarted else self.last
        before = zero if restarted else self.before
        broken = max(server.broken - last.broken, 0)
        counted = Counted(
            requests=self.counted.requests + (server.responses - last.responses) + broken,
            failed=self.counted.failed + max(server.failed - last.failed, 0) + broken,
            latency=mean_since(before, server),
        )
        return replace(self, process=process, before=before, last=server, counted=counted)

    @property
    def fault(self) -> str:
        """Why the new version is to be taken back; empty if it is not."""
        counted, limits = self.counted, self.limits
        if counted.requests < LEAST:
            return ""
        share = counted.failed / counted.requests
        if share > limits.errors:
            return (
                f"{counted.failed} of {counted.requests} requests failed ({share:.1%}), and max-errors is"
                f" {limits.errors * 100:.6g}%"
            )
        if counted.latency > limits.latency:
            return f"the mean latency is {counted.latency:.0f} ms, and max-latency is {limits.latency:.0f} ms"
        return ""


def mean_since(before: ProxyServer, after: ProxyServer) -> float:
    """The mean latency in ms of the requests between two looks, 0 if there are too few.

    The proxy keeps a moving average over its last requests, in which those before the first look fade with each new
    one. What is left of them is subtracted. Until the proxy has seen a whole window, it averages over all requests.
    """
    new, old = after.responses - before.responses, before.responses
    if new < LEAST:
        return 0.0
    filling = max(min(_WINDOW - old, new), 0)
    left = (old / (old + filling) if filling else 1.0) * (1 - 1 / _WINDOW) ** (new - filling)
    return max((after.latency - left * before.latency) / (1 - left), 0.0)
