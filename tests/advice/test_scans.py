"""Every advice about a scan leads to a release that is scanned: without the finding, or with a reason for it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import cast

import pytest
from tests.scanning.test_archives import TOKEN, wheel
from tests.scanning.test_judge import TODAY
from tests.support.advice_walks import Place, Walk, also, keep, walk
from tests.support.scanners import FakeScanner, vulnerability

from unmoor.adapters.process.shell import LocalShell
from unmoor.config.settings import resolve
from unmoor.errors import Unknown
from unmoor.ports.scanner import Audit
from unmoor.scanning.run import require_safe, scan


def _file(**content: str) -> Callable[..., None]:
    def build(place: Place, *_: str) -> None:
        place.kept["files"] = [wheel(place.folder, **content)]

    return build


def _service(answer: Audit | Unknown) -> Callable[..., None]:
    return keep(scanner=FakeScanner(answer), scan='vulnerabilities = "required"')


def _scan(place: Place) -> None:
    text = f"[tool.unmoor.scan]\n{place.kept['scan']}\n".encode()
    settings = resolve(lambda name: text if name == "pyproject.toml" else None).settings.scan
    scanned = scan(place.kept["files"], settings, place.kept["scanner"], TODAY)
    require_safe(scanned, settings, TODAY)


def _ignore(place: Place, advice: str) -> None:
    entry = re.search(r"\{.*\}", advice)
    assert entry is not None
    place.kept["scan"] += f"\nignore = [{entry[0].replace('…', 'made up for the tests')}]"
    (ignored,) = tomllib.loads(place.kept["scan"])["ignore"]
    assert isinstance(ignored["until"], date)


def _be_advisory(place: Place, advice: str) -> None:
    setting = re.search(r'\w+ = "advisory"', advice)
    assert setting is not None
    place.kept["scan"] = setting[0]


SECRET = also(_file(**{"demo/a.py": TOKEN}), keep(scanner=None, scan='secrets = "required"'))
WEAK = also(_file(), _service(Audit(scanner="s", packages=1, vulnerabilities=(vulnerability(),))))
WALKS: dict[str, Walk] = {
    "remove-secret": Walk(begin=SECRET, act=_scan, follow=_file()),
    "remove-secret (it is none)": Walk(begin=SECRET, act=_scan, follow=_ignore),
    "update-dependency": Walk(begin=WEAK, act=_scan, follow=_service(Audit(scanner="s", packages=1))),
    "update-dependency (for some time)": Walk(begin=WEAK, act=_scan, follow=_ignore),
    "check-scanner": Walk(begin=also(_file(), _service(Unknown("no answer"))), act=_scan, follow=_be_advisory),
}


@pytest.mark.parametrize("name", WALKS)
def test_advice_is_followed(name: str, tmp_path: Path) -> None:
    """Without the finding, or with the lines that the advice gives, the scan passes."""
    walk(name, WALKS, Place(folder=tmp_path, shell=cast("LocalShell", None)))
