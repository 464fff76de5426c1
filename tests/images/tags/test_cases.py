"""The rule language in cases: what docker/metadata-action gives, and where unmoor differs on purpose."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from unmoor.errors import ConfigError
from unmoor.images.tags import Plan, TagContext, plan, with_event

TABLE: dict[str, Any] = json.loads((Path(__file__).parent / "cases.json").read_text("utf-8"))
CASES: list[dict[str, Any]] = TABLE["cases"]
IMAGE = "ghcr.io/harbour/lighthouse"
every_case = pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])


def _context(case: dict[str, Any]) -> TagContext:
    event = TABLE["events"][case["event"]]
    payload = {**event["payload"]}
    if "repository" in payload:
        payload["repository"] = TABLE["repository"]
    context = TagContext(
        ref=event["ref"],
        sha=event["sha"],
        event=event["name"],
        now=datetime.fromisoformat(TABLE["now"]),
        short=case.get("short", 7),
    )
    return with_event(context, payload)


def _planned(case: dict[str, Any], *, compat: bool) -> Plan:
    return plan(
        case["rules"],
        case.get("flavor", ()),
        case.get("images", [IMAGE]),
        _context(case),
        labels=case.get("labels", ()),
        annotations=case.get("annotations", ()),
        levels=case.get("levels", ("manifest",)),
        compat=compat,
    )


def _holds(case: dict[str, Any], expected: dict[str, Any], *, compat: bool) -> None:
    if "error" in expected:
        with pytest.raises(ConfigError) as caught:
            _planned(case, compat=compat)
        assert expected["error"] in str(caught.value)
        assert caught.value.where
        assert caught.value.next_step
        return
    planned = _planned(case, compat=compat)
    assert planned.version == expected["version"]
    assert list(planned.tag_names) == expected["tags"]
    assert list(planned.tags) == expected.get("full", [f"{IMAGE}:{tag}" for tag in expected["tags"]])
    found = dict(planned.labels)
    assert found["org.opencontainers.image.version"] == expected["version"]
    assert found["org.opencontainers.image.created"] == TABLE["now"]
    if "labels" in expected:
        assert [list(pair) for pair in planned.labels] == expected["labels"]
    if "annotations" in expected:
        assert list(planned.annotations) == expected["annotations"]
    assert sorted(planned.fixed + planned.floating) == sorted(planned.tag_names)


@every_case
def test_compat_gives_what_the_original_gives(case: dict[str, Any]) -> None:
    """Version, tags in their order, labels and annotations are those of docker/metadata-action."""
    _holds(case, case["expect"], compat=True)


@every_case
def test_without_compat_only_the_named_differences_remain(case: dict[str, Any]) -> None:
    """The result is the original's, except in cases that list another outcome."""
    _holds(case, case.get("ours", case["expect"]), compat=False)


def test_the_table_covers_the_language() -> None:
    """Every type, attribute, flavor and expression occurs, in at least 150 cases with different names."""
    assert len({case["name"] for case in CASES}) == len(CASES) >= 150
    text = json.dumps([[case["rules"], case.get("flavor", []), case.get("labels", [])] for case in CASES])
    types = ("schedule", "semver", "pep440", "match", "edge", "ref", "raw", "sha")
    attributes = ("enable", "priority", "prefix", "suffix", "pattern", "value", "match", "group", "branch", "event")
    flavors = ("latest=auto", "latest=true", "latest=false", "onlatest=true", "onlatest=false")
    names = ("branch", "tag", "sha", "base_ref", "is_default_branch", "is_not_default_branch", "raw", "version")
    wanted = [
        *(f"type={each}" for each in types),
        *(f",{each}=" for each in (*attributes, "format")),
        *flavors,
        *("{{" + each for each in (*names, "major", "minor", "patch", "date ", "commit_date ")),
    ]
    assert [each for each in wanted if each not in text] == []
