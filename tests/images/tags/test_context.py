"""What an event's payload adds to the context."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmoor.errors import ConfigError
from unmoor.images.tags import RepositoryFacts, TagContext, with_event
from unmoor.util.values import replace

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SHA = "a" * 40
RUN = TagContext(ref="refs/heads/main", sha=SHA, event="push", now=NOW)


def test_a_payload_adds_to_the_context() -> None:
    """It adds the repository, its default branch, the base refs and the commit's time."""
    found = with_event(
        RUN,
        {
            "base_ref": "refs/heads/release",
            "repository": {
                "name": "n",
                "description": "d",
                "html_url": "https://example.org/o/n",
                "default_branch": "main",
                "license": {"spdx_id": "MIT"},
            },
            "commits": [{"id": "b" * 40, "timestamp": "2020-01-01T00:00:00Z"}],
            "head_commit": {"id": SHA, "timestamp": "2021-06-01T12:00:00+02:00"},
            "pull_request": {"base": {"ref": "trunk"}},
        },
    )
    assert found.repository == RepositoryFacts(
        title="n", description="d", url="https://example.org/o/n", licence="MIT", default_branch="main"
    )
    assert found.is_default_branch
    assert found.commit_date == datetime(2021, 6, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert replace(found, ref="refs/tags/v1").base_ref == "release"
    assert replace(found, ref="refs/pull/1/merge").base_ref == "trunk"
    assert found.base_ref == ""


def test_a_payload_removes_nothing() -> None:
    """Nulls and missing keys change nothing."""
    known = replace(RUN, repository=RepositoryFacts(title="n", url="u", default_branch="main"), commit_date=NOW)
    assert with_event(known, {"repository": None, "head_commit": None, "commits": None, "base_ref": None}) == known
    assert with_event(known, {"repository": {"license": None, "description": None}}) == known


def test_a_pull_request_target_has_the_ref_of_its_pull_request() -> None:
    """The ref is made from the number; a payload without a number is refused."""
    run = replace(RUN, event="pull_request_target")
    assert with_event(run, {"number": 7}).ref == "refs/pull/7/merge"
    with pytest.raises(ConfigError, match="no number"):
        with_event(run, {})


def test_the_head_of_a_pull_request() -> None:
    """With the option, the commit is the one that the author pushed; other events ignore it."""
    payload = {"number": 7, "pull_request": {"head": {"sha": "f" * 40}}}
    run = replace(RUN, event="pull_request")
    assert with_event(run, payload, head_of_pull=True).sha == "f" * 40
    assert with_event(run, payload).sha == SHA
    assert with_event(RUN, payload, head_of_pull=True).sha == SHA


@pytest.mark.parametrize("payload", [None, [], "text", 3])
def test_a_payload_that_is_not_an_object(payload: Any) -> None:
    """Anything but a JSON object is refused."""
    with pytest.raises(ConfigError, match="not a JSON object"):
        with_event(RUN, payload)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(("repository", "pull_request", "commits", "head_commit", "base_ref"), JSON),
    )
)
def test_any_payload_is_read(payload: dict[str, Any]) -> None:
    """A value of an unexpected type breaks nothing, and texts stay texts."""
    found = with_event(RUN, payload, head_of_pull=True)
    assert isinstance(found.default_branch, str)
    assert isinstance(found.base_ref, str)
