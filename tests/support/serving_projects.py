"""A small project whose image serves its version, with a service that runs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.support import sample_projects
from tests.support.documented_projects import FAST, TEST_COMMAND
from tests.support.git_repos import Repo
from tests.support.local_release import SETTINGS as PROJECT
from tests.support.local_release import small_repo

from unmoor.config.service import ServiceSettings

PORT = 8000
SERVICE = ServiceSettings(
    image="", port=PORT, slots={"blue": 9101, "green": 9102}, smoke=("/health",), monitor="1s", max_latency="5s"
)
"""The settings of the service, as the project has them."""
_SETTINGS = """
[tool.unmoor.service.web]
image = ""
port = {port}
slots = {{ {slots} }}
smoke = ["/health"]
monitor = "1s"
max-latency = "5s"
"""
# The base has only a static shell.
_DOCKERFILE = """\
FROM {base} AS development
COPY dist/ /dist/
FROM development AS production
RUN echo {version} > /version && echo ok > /health
USER 1000
HEALTHCHECK --interval=200ms --retries=5 \\
  CMD ["busybox", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:{port}/health"]
CMD ["busybox", "httpd", "-f", "-p", "{port}", "-h", "/"]
"""


def dockerfile(base: str, version: str = "1.0") -> str:
    """A Dockerfile of an image that serves a version, from an image with a static shell."""
    return _DOCKERFILE.format(base=base, version=version, port=PORT)


def settings(slots: Mapping[str, int] = SERVICE.slots) -> str:
    """The part of the settings for the service, in slots with these ports."""
    return _SETTINGS.format(port=PORT, slots=", ".join(f"{name} = {port}" for name, port in slots.items()))


def serving_repo(path: Path, base: str) -> Repo:
    """The small project with an image and a service, at the tag v1.0."""
    repo = small_repo(path, Dockerfile=dockerfile(base))
    repo.commit({"pyproject.toml": (path / "pyproject.toml").read_text("utf-8") + settings()})
    repo.git("tag", "--force", "v1.0")
    return repo


def add_fast_version(repo: Repo, base: str, slots: Mapping[str, int], version: str) -> None:
    """Commit and tag a version of the same in slots with these ports, whose release takes little time."""
    changes = f"# Changes\n\n## {version}\n\n- It floats.\n"
    more = PROJECT.replace(TEST_COMMAND, "") + FAST + settings(slots)
    files = sample_projects.files("small-one", version, more=more, Dockerfile=dockerfile(base, version))
    repo.commit(files | {"CHANGELOG.md": changes})
    repo.git("tag", f"v{version}")
