"""What a run would meet on this machine besides programs: versions of Python's side, the project, and the CI job."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec

from unmoor.config.settings import Settings
from unmoor.diagnostics.facts import Answer, FactGroup, Question, absent, question_of, unknown
from unmoor.util.text import list_some

_LIBRARIES = ("build", "pip", "twine", "sigstore", "requests", "PyGithub", "docker", "packaging", "msgspec", "click")
_MOST = 30
# Variables that change what a run does. Values may be secrets, so only names are reported.
_TELLING = ("UNMOOR_", "TWINE_", "PIP_", "UV_", "DOCKER_", "GIT_", "GH_", "PYTHON", "SETUPTOOLS_SCM_", "SSL_CERT_")
_TELLING_NAMES = frozenset({"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SOURCE_DATE_EPOCH", "TMPDIR", "VIRTUAL_ENV"})
_FACTS_OF_A_JOB = (
    ("event", "GITHUB_EVENT_NAME"),
    ("ref type", "GITHUB_REF_TYPE"),
    ("runner", "RUNNER_ENVIRONMENT"),
    ("runner system", "RUNNER_OS"),
    ("runner processor", "RUNNER_ARCH"),
    ("runner image", "ImageOS"),
    ("attempt", "GITHUB_RUN_ATTEMPT"),
)


def versions(system: Callable[[], str]) -> Iterator[Question]:
    """Yield the questions for unmoor, Python, the system and the libraries that decide most."""
    yield question_of(FactGroup.VERSIONS, "unmoor", _unmoor)
    yield question_of(FactGroup.VERSIONS, "Python", _python)
    yield question_of(FactGroup.VERSIONS, "system", system)
    yield question_of(FactGroup.VERSIONS, "libraries", _libraries)


def _unmoor() -> str:
    return f"{importlib.metadata.version('unmoor')} ({Path(__file__).parents[1]})"


def _python() -> str:
    return f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})"


def _libraries() -> str:
    found = []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} none")
    return ", ".join(found)


def settings(found: Settings) -> Question:
    """The question which settings of the project differ from the defaults. Only their names: values may name hosts."""

    def text() -> str:
        default = Settings()
        fields = msgspec.structs.fields(Settings)
        keys = [each.encode_name for each in fields if getattr(found, each.name) != getattr(default, each.name)]
        return f"readable; not the defaults: {list_some(keys, _MOST)}" if keys else "readable; all are the defaults"

    return question_of(FactGroup.PROJECT, "settings", text)


def ci_job(environ: Mapping[str, str]) -> Iterator[Question]:
    """Yield the questions for the CI job, and for the variables that change what a run does."""
    if environ.get("GITHUB_ACTIONS") == "true":
        yield Question(group=FactGroup.CI, name="job", ask=lambda: Answer(value="GitHub Actions"))
        for name, variable in _FACTS_OF_A_JOB:
            yield Question(group=FactGroup.CI, name=name, ask=partial(_variable, environ, variable))
    else:
        job = Answer(value="another CI service (CI is set)") if environ.get("CI") else absent("none")
        yield Question(group=FactGroup.CI, name="job", ask=lambda: job)
    names = sorted(
        name
        for name, value in environ.items()
        if value and (name.startswith(_TELLING) or name in _TELLING_NAMES or name.lower().endswith("_proxy"))
    )
    told = Answer(value=list_some(names, _MOST)) if names else absent("none")
    yield Question(group=FactGroup.CI, name="variables", ask=lambda: told)


def _variable(environ: Mapping[str, str], variable: str) -> Answer:
    value = environ.get(variable, "")
    return Answer(value=value) if value else unknown(f"{variable} is not set")
