"""The outputs of the step and the job summary name every image by its target, with tags and digest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from unmoor.cli.branch_report import BranchRun, ImageDocument, outputs, summary
from unmoor.images.image_names import BuildTarget

APP, TOOL = "ghcr.io/acme/app", "ghcr.io/acme/tool"


def ran(*targets: tuple[str, tuple[str, ...]], pushed: bool = True) -> tuple[BranchRun, tuple[ImageDocument, ...]]:
    """Return a run over images, each with its own name and its targets, and a mirror of each."""
    rows, images = [], []
    for name, stages in targets:
        names = (name, name.replace("ghcr.io", "docker.io"))
        plan = SimpleNamespace(
            name=name,
            registries=tuple(SimpleNamespace(name=each) for each in names),
            targets=tuple(BuildTarget(stage=stage) for stage in stages),
        )
        for stage in stages:
            rows.append(SimpleNamespace(plan=plan, target=BuildTarget(stage=stage)))
            digest = f"sha256:{name}/{stage}" if pushed else ""
            images += [
                ImageDocument(name=each, target=stage, digest=digest, tags=("main",), left=(), platforms={})
                for each in names
            ]
    run = SimpleNamespace(report=SimpleNamespace(product=lambda _: None), targets=rows, pushed=pushed)
    return cast("Any", run), tuple(images)


@pytest.mark.parametrize(
    ("targets", "ends"),
    [
        ([(APP, ("",))], {(APP, ""): ""}),
        ([(APP, ("production",))], {(APP, "production"): ""}),
        ([(APP, ("a", "b"))], {(APP, "a"): "-a", (APP, "b"): "-b"}),
        ([(APP, ("",)), (TOOL, ("",))], {(APP, ""): "-app", (TOOL, ""): "-tool"}),
        (
            [(APP, ("a", "b")), (TOOL, ("a",))],
            {(APP, "a"): "-app-a", (APP, "b"): "-app-b", (TOOL, "a"): "-tool"},
        ),
    ],
)
def test_every_image_has_its_outputs(
    targets: list[tuple[str, tuple[str, ...]]], ends: dict[tuple[str, str], str]
) -> None:
    """One image has the plain names; the tags are those on every registry. Without a push there is no digest."""
    wanted = {"pushed": "true"}
    for (name, stage), end in ends.items():
        wanted[f"digest{end}"] = f"sha256:{name}/{stage}"
        wanted[f"tags{end}"] = f"{name}:main {name.replace('ghcr.io', 'docker.io')}:main"
    assert outputs(*ran(*targets)) == wanted
    unpushed = outputs(*ran(*targets, pushed=False))
    tags = {name: value for name, value in wanted.items() if name.startswith("tags")}
    assert unpushed == {"pushed": "false", **tags}


def test_the_summary_is_plain_text() -> None:
    """A tag or a name adds no markup to the page of the run."""
    image = ImageDocument(name="a|b", target="<b>", digest="", tags=("main",), left=(), platforms={})
    text = summary((image,))
    assert "not pushed" in text
    assert r"\<b>" in text
    assert r"a\|b" in text
