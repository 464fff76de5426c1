"""A small project whose image serves its version, with a service that runs it."""

from __future__ import annotations

from pathlib import Path

from tests.support.git_repos import Repo
from tests.support.local_release import small_repo

from unmoor.config.service import ServiceSettings

PORT = 8000
SERVICE = ServiceSettings(
    image="", port=PORT, slots={"blue": 9101, "green": 9102}, smoke=("/health",), monitor="1s", max_latency="5s"
)
"""The settings of the service, as the project has them."""
SETTINGS = f"""
[tool.unmoor.service.web]
image = ""
port = {PORT}
slots = {{ blue = 9101, green = 9102 }}
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


def serving_repo(path: Path, base: str) -> Repo:
    """The small project with an image and a service, at the tag v1.0."""
    repo = small_repo(path, Dockerfile=dockerfile(base))
    pyproject = path / "pyproject.toml"
    repo.commit({"pyproject.toml": pyproject.read_text("utf-8") + SETTINGS})
    repo.git("tag", "--force", "v1.0")
    return repo
