"""Projects of every kind whose workflows the tests write."""

from __future__ import annotations

from collections.abc import Mapping

from unmoor.config.announce import AnnounceSettings
from unmoor.config.docs import DocsSettings
from unmoor.config.images import ImageSettings
from unmoor.config.service import ServiceSettings
from unmoor.config.settings import Settings
from unmoor.config.space import SpaceSettings
from unmoor.config.workflows import WorkflowSettings
from unmoor.workflows.facts import WorkflowFacts, tag_patterns

_IMAGES = (
    ImageSettings(mirrors=("docker.io/acme/demo", "registry.example:5000/demo"), secrets=("BASE_PASSWORD",)),
    ImageSettings(name="ghcr.io/acme/other"),
)

SAMPLES: Mapping[str, WorkflowFacts] = {
    "pure": WorkflowFacts(settings=Settings(), project="demo"),
    "plain": WorkflowFacts(
        settings=Settings(testpypi="off", reproducible="off", attestations="off", deadline=21_600), project="demo"
    ),
    "stored tokens": WorkflowFacts(settings=Settings(trusted_publishing="never"), project="demo"),
    "compiled": WorkflowFacts(
        settings=Settings(),
        project="demo",
        wheels=("linux", "linux-arm", "macos", "macos-intel", "windows", "windows-arm"),
        skipped_wheels="pp* cp38-*",
    ),
    "wheels alone": WorkflowFacts(settings=Settings(formats=("wheel",)), project="demo", wheels=("linux",)),
    "an image": WorkflowFacts(settings=Settings(), project="demo", platforms=("linux/amd64",)),
    "images": WorkflowFacts(
        settings=Settings(image=_IMAGES),
        project="demo",
        platforms=("linux/amd64", "linux/386", "linux/arm64", "linux/arm/v7", "linux/s390x"),
    ),
    "images elsewhere": WorkflowFacts(
        settings=Settings(image=(ImageSettings(name="quay.io/acme/demo"),), testpypi="off"),
        project="demo",
        platforms=("linux/amd64",),
    ),
    "compiled with images": WorkflowFacts(
        settings=Settings(), project="demo", wheels=("linux", "windows"), platforms=("linux/amd64", "linux/arm64")
    ),
    "a package": WorkflowFacts(
        settings=Settings(tag_prefix="small/", python="3.12", test_pythons=("3.14t",)),
        project="Acme.Small",
        path="packages/small",
        tags=tag_patterns("small/"),
        wheels=("linux",),
        pythons=("3.12",),
    ),
    "private": WorkflowFacts(
        settings=Settings(workflows=WorkflowSettings(private=True)), project="demo", platforms=("linux/amd64",)
    ),
    "private, signed": WorkflowFacts(
        settings=Settings(workflows=WorkflowSettings(private=True), attestations="required"), project="demo"
    ),
    "deployed": WorkflowFacts(
        settings=Settings(
            docs=DocsSettings(to=("branch:gh-pages", "readthedocs:demo")),
            space=SpaceSettings(repo="acme/demo", files=("app.py",)),
            service={"web": ServiceSettings(port=8000, slots={"blue": 9101, "green": 9102}, runner="self-hosted")},
            announce=AnnounceSettings(targets={"chat": "CHAT_URL"}, on=("released", "failed")),
        ),
        project="demo",
        platforms=("linux/amd64",),
    ),
    "compiled and documented": WorkflowFacts(
        settings=Settings(docs=DocsSettings(to="branch:gh-pages")), project="demo", wheels=("linux",)
    ),
    "documented": WorkflowFacts(
        settings=Settings(
            docs=DocsSettings(to="readthedocs:demo"), announce=AnnounceSettings(targets={"mail": "MAIL_URL"})
        ),
        project="demo",
    ),
    "unmoor itself": WorkflowFacts(
        settings=Settings(workflows=WorkflowSettings(tool="checkout")), project="unmoor", platforms=("linux/amd64",)
    ),
}
