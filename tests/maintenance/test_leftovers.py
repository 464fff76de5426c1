"""Which artifacts and caches can go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from unmoor import advice
from unmoor.errors import Unknown
from unmoor.maintenance.leftovers import (
    ArtifactFacts,
    CacheFacts,
    WhyKept,
    judge_artifacts,
    judge_caches,
    kind_of,
)
from unmoor.ports.leftovers import Cache, RunArtifact
from unmoor.util.values import replace

NOW = datetime(2026, 6, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
ARTIFACT = RunArtifact(id=1, name="dists", size=10, created=NOW - timedelta(days=8), run=5, ref="main")
CACHE = Cache(id=1, key="pip-linux-0a1b2c3d", version="v", ref="refs/heads/main", size=10, used=NOW - timedelta(days=8))


def is_public(tag: str) -> bool:
    """Answer for three tags: one is public, one is not, and for one the forge has no answer."""
    if tag == "v3":
        raise Unknown("the forge does not answer", next_step=advice.CHECK_REPOSITORY_NAME())
    return tag == "v1"


FACTS = ArtifactFacts(unfinished=frozenset({7}), tags=frozenset({"v1", "v2", "v3"}), is_public=is_public)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({}, None, id="old"),
        pytest.param({"created": NOW - timedelta(days=6)}, WhyKept.YOUNG, id="young"),
        pytest.param({"created": NOW + timedelta(days=1)}, WhyKept.YOUNG, id="from-the-future"),
        pytest.param({"expired": True}, WhyKept.EXPIRED, id="expired"),
        pytest.param({"run": None}, WhyKept.UNKNOWN_RUN, id="no-run"),
        pytest.param({"ref": None}, WhyKept.UNKNOWN_RUN, id="no-ref"),
        pytest.param({"run": 7}, WhyKept.UNFINISHED, id="unfinished"),
        pytest.param({"run": 7, "ref": "v1"}, WhyKept.UNFINISHED, id="unfinished-public"),
        pytest.param({"ref": "v1"}, None, id="public"),
        pytest.param({"ref": "v2"}, WhyKept.NOT_PUBLIC, id="not-public"),
        pytest.param({"ref": "v3"}, WhyKept.UNSURE, id="no-answer"),
    ],
)
def test_artifacts(changes: dict[str, Any], why: WhyKept | None) -> None:
    """An artifact goes only if its run has ended and its tag, if it has one, is public."""
    (verdict,) = judge_artifacts([replace(ARTIFACT, **changes)], FACTS, older_than=WEEK, now=NOW)
    assert verdict.why is why
    assert verdict.goes is (why is None)


CACHE_FACTS = CacheFacts(branches=frozenset({"main"}), tags=frozenset({"v1"}), open_pull_requests=frozenset({3}))


@pytest.mark.parametrize(
    ("ref", "why"),
    [
        pytest.param("refs/heads/main", WhyKept.NEWEST, id="branch"),
        pytest.param("refs/heads/gone", None, id="no-branch"),
        pytest.param("refs/tags/v1", WhyKept.NEWEST, id="tag"),
        pytest.param("refs/tags/v0", None, id="no-tag"),
        pytest.param("refs/pull/3/merge", WhyKept.NEWEST, id="open"),
        pytest.param("refs/pull/4/merge", None, id="closed"),
        pytest.param("refs/other/1", WhyKept.UNKNOWN_REF, id="unknown"),
    ],
)
def test_the_newest_cache_stays_while_its_branch_is_there(ref: str, why: WhyKept | None) -> None:
    """A run restores only caches of its own branch, so that those of a branch that is gone are of no use."""
    (verdict,) = judge_caches([replace(CACHE, ref=ref)], CACHE_FACTS, older_than=WEEK, now=NOW)
    assert verdict.why is why


def test_of_the_caches_of_one_kind_the_newest_stays() -> None:
    """Kinds are told apart by the branch, the key without its digest, and the version; a young one stays as well."""
    older = replace(CACHE, id=2, key="pip-linux-ffffffff", used=CACHE.used - timedelta(days=1))
    other = replace(CACHE, id=3, key="pip-macos-ffffffff", used=older.used)
    packed = replace(CACHE, id=4, version="w", used=older.used)
    young = replace(other, id=5, used=NOW)
    verdicts = judge_caches([older, CACHE, other, packed, young], CACHE_FACTS, older_than=WEEK, now=NOW)
    newest, fresh = WhyKept.NEWEST, WhyKept.YOUNG
    assert [each.why for each in verdicts] == [None, newest, None, newest, fresh]


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("setup-python-Linux-x64-24.04-Ubuntu-python-3.13.2-pip-" + "a" * 64, None),
        ("uv-1-2", "uv"),
        ("0123", "0123"),
        ("", ""),
        ("a-facade0", "a"),
    ],
    ids=["setup", "numbers", "number", "empty", "hex"],
)
def test_kinds(key: str, kind: str | None) -> None:
    """Digests and numbers at the end of a key do not count."""
    assert kind_of(key) == (kind if kind is not None else key.rpartition("-")[0])
