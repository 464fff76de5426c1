"""The addresses of a release are its requests by route and the lines of its journal, each with a count."""

from __future__ import annotations

from unmoor.rehearsal.chaos.addresses import Addresses, addresses_of, route_of_line

REQUESTS = b"""\
{"server":"pypi","method":"POST","path":"/legacy/","status":200,"file":"a.whl"}
{"server":"pypi","method":"POST","path":"/legacy/","status":200,"file":"a.tar.gz"}
{"server":"forge","method":"GET","path":"/api/v3/repos/acme/small/releases/tags/v1.0","status":404}
{"server":"forge","method":"GET","pa"""
JOURNAL = b"""\
{"at":1.5,"event":"run begins","world":"local"}
{"at":1.6,"event":"begins","stage":"dists"}
{"at":1.7,"event":"ended","stage":"dists","outcome":"made","product":{"files":[]}}
{"at":1.8,"event":"a note"}
[]
"""


def test_requests_and_lines_are_counted_by_route() -> None:
    """Equal routes count together, a line that a kill cut short does not count, and no version is in a route."""
    assert addresses_of(REQUESTS, JOURNAL).counts == {
        ("forge", "GET /repos/{owner}/{repo}/releases/tags/{tag}"): 1,
        ("journal", "dists/begins"): 1,
        ("journal", "dists/made"): 1,
        ("journal", "run/begins"): 1,
        ("pypi", "POST /legacy/"): 2,
    }


def test_two_runs_are_joined_by_the_larger_number() -> None:
    """What either run met can be met."""
    one = Addresses(counts={("pypi", "POST /legacy/"): 2, ("journal", "dists/found"): 1})
    other = Addresses(counts={("pypi", "POST /legacy/"): 1, ("journal", "dists/made"): 1})
    assert one.joined(other).counts == {
        ("journal", "dists/found"): 1,
        ("journal", "dists/made"): 1,
        ("pypi", "POST /legacy/"): 2,
    }
    assert one.joined(other).routes(journal=False) == (("pypi", "POST /legacy/"),)


def test_a_line_without_a_stage_has_no_route() -> None:
    """Nothing can be put there, so the child that meets faults passes it by."""
    lines = [route_of_line(line) for line in JOURNAL.splitlines()]
    assert lines == ["run/begins", "dists/begins", "dists/made", "", ""]
