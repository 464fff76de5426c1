"""The part ``docker``: a Dockerfile around the tested wheel, with the stages ``production`` and ``development``."""

from __future__ import annotations

import re
from typing import Final

from unmoor.images.image_names import DOCKERFILE
from unmoor.project.files import table
from unmoor.project.pythons import minor_versions
from unmoor.scaffold.draft import ProposalDraft, ScaffoldProject
from unmoor.scaffold.toml_keys import TomlKey, table_text, with_tables
from unmoor.scaffold.workflow_files import WorkflowFiles
from unmoor.util.text import list_some

_REASON: Final = "releases an image with the tested wheel"
_TARGETS: Final = {"production": "", "development": "-dev"}
_OTHERS: Final = re.compile(r"(?:[^/]+/)?(?:Dockerfile(?:\.[\w-]+)?|[\w.-]+\.Dockerfile|Containerfile)")
_IGNORE: Final = """\
# Only what the Dockerfile copies: the tested wheel.
*
!dist
!dist/**
"""
_TEXT: Final = """\
# The image of @NAME@ with the wheel that was built and tested. unmoor puts it into dist/ and passes its name as WHEEL:
#
#   unmoor images
#
# Pin the base by its digest, and let a bot update it: python:@PYTHON@-slim@sha256:…
ARG BASE=python:@PYTHON@-slim

FROM ${BASE} AS builder
ARG WHEEL
COPY dist/${WHEEL} /build/
RUN --mount=type=cache,target=/root/.cache/pip \\
    test -n "${WHEEL}" \\
    && python -m venv --without-pip /opt/app \\
    && python -m pip --python /opt/app/bin/python install --disable-pip-version-check "/build/${WHEEL}"

FROM ${BASE} AS production
RUN useradd --create-home --uid 10001 app
COPY --from=builder /opt/app /opt/app
ENV PATH=/opt/app/bin:$PATH
USER 10001
WORKDIR /home/app
@ENTRY@

# The same image with tools for interactive use. They are not pinned: the distribution removes old versions.
FROM production AS development
USER 0
# hadolint ignore=DL3008
RUN apt-get update \\
    && apt-get install --yes --no-install-recommends git less make \\
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*
USER 10001
"""


def propose_docker(draft: ProposalDraft, project: ScaffoldProject, files: WorkflowFiles) -> None:
    """Propose a Dockerfile, what its build may see, and the image's targets, unless the project has a Dockerfile.

    Raises `ConfigError` for malformed files and wrong settings, and `Refused` if the settings cannot be changed.
    """
    mine = draft.below(project.path)
    there = [name for name in mine.names if _OTHERS.fullmatch(name)]
    text = _dockerfile(draft, project)
    if there:
        if mine.read(DOCKERFILE) != text.encode():
            draft.note(
                f"docker: {list_some(there)} is there and stays as it is; the release builds {DOCKERFILE} at the top"
            )
        return
    draft.write(project.place(DOCKERFILE), text.encode(), _REASON)
    ignored = project.place(".dockerignore")
    if draft.read(ignored) is None:
        draft.write(ignored, _IGNORE.encode(), "what the build of the image may see")
    else:
        draft.note(f"docker: {ignored} stays as it is, and must let dist/ through")
    if not files.settings().image:
        _add_image(draft, project)
    files.refresh()


def _add_image(draft: ProposalDraft, project: ScaffoldProject) -> None:
    """Propose the table of the image, at the end of the file that has the settings of unmoor."""
    own, path = project.place("unmoor.toml"), project.place("pyproject.toml")
    is_own = draft.read(own) is not None or draft.read(path) is None
    name = own if is_own else path
    reason = "The stage production has the plain tags, and development those with -dev."
    key = TomlKey(table=(), name="targets", value=_TARGETS, reason=reason)
    text = table_text(("image",) if is_own else ("tool", "unmoor", "image"), [key], array=True)
    draft.write(name, with_tables(name, draft.read(name) or b"", text), "settings of unmoor")


def _dockerfile(draft: ProposalDraft, project: ScaffoldProject) -> str:
    files = draft.below(project.path)
    python = minor_versions(files)[-1]
    scripts = [name for name in table(files.pyproject, "project", "scripts") if re.fullmatch(r"[A-Za-z0-9._-]+", name)]
    scripts += [name for name in table(files.pyproject, "tool", "poetry", "scripts") if re.fullmatch(r"[\w.-]+", name)]
    own = project.name.replace("_", "-").lower()
    best = next((name for name in scripts if name.replace("_", "-").lower() == own), scripts[0] if scripts else "")
    entry = f'ENTRYPOINT ["{best}"]\nCMD ["--help"]' if best else 'CMD ["python"]'
    name = re.sub(r"[^A-Za-z0-9._-]", "", project.name)
    return _TEXT.replace("@NAME@", name).replace("@PYTHON@", python).replace("@ENTRY@", entry)
