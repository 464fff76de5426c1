"""Both scans run beside each other; a scan that fails is unknown, and the policies decide what that means."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scanning.test_archives import TOKEN, wheel
from tests.scanning.test_judge import TODAY, options
from tests.support.scanners import FakeScanner, vulnerability

from unmoor.errors import Interrupted, Unknown, UnmoorError, Unsafe
from unmoor.ports.scanner import Audit
from unmoor.products import Scanned
from unmoor.scanning.run import ADVISORY_PATIENCE, REQUIRED_PATIENCE, advisory_lines, require_safe, scan, warnings

POLICIES = ("required", "advisory", "off")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    "answer", [Audit(scanner="s", packages=3, vulnerabilities=(vulnerability(),)), Unknown("lost")]
)
def test_vulnerabilities(tmp_path: Path, policy: str, answer: Audit | UnmoorError) -> None:
    """Findings and failures stop where they must, and are warnings elsewhere. Nobody is asked if it is off."""
    scanner = FakeScanner(answer)
    settings = options(vulnerabilities=policy)
    scanned = scan([wheel(tmp_path)], settings, scanner, TODAY)
    warned = [*advisory_lines(scanned), *warnings(scanned, settings, TODAY)]
    assert scanner.patience == {"required": [REQUIRED_PATIENCE], "advisory": [ADVISORY_PATIENCE], "off": []}[policy]
    if policy == "required":
        kind = Unsafe if isinstance(answer, Audit) else Unknown
        with pytest.raises(kind, match="idna 3.6: CVE-1" if kind is Unsafe else "cannot tell .* lost"):
            require_safe(scanned, settings, TODAY)
        return
    require_safe(scanned, settings, TODAY)
    assert len(warned) == (policy == "advisory")


@pytest.mark.parametrize("policy", POLICIES)
def test_secrets(tmp_path: Path, policy: str) -> None:
    """A secret stops where it must, is a warning elsewhere, and is not looked for if that is off."""
    settings = options(secrets=policy, vulnerabilities="off")
    scanned = scan([wheel(tmp_path, **{"demo/a.py": TOKEN})], settings, None, TODAY)
    assert bool(scanned.findings) == (policy != "off")
    assert TOKEN not in repr(scanned)
    if policy == "required":
        with pytest.raises(Unsafe, match=r"demo/a\.py, line 1: a token of GitHub") as caught:
            require_safe(scanned, settings, TODAY)
        assert 'id = "github-token:demo/a.py"' in caught.value.next_step
        assert TOKEN not in f"{caught.value}{caught.value.next_step}"
        return
    require_safe(scanned, settings, TODAY)
    assert len(advisory_lines(scanned)) == (policy == "advisory")


@pytest.mark.parametrize("policy", ["required", "advisory"])
def test_a_file_that_cannot_be_read(tmp_path: Path, policy: str) -> None:
    """A file that cannot be read to its end is unknown, never clean."""
    file = wheel(tmp_path)
    file.path.write_bytes(b"")
    settings = options(secrets=policy, vulnerabilities="off")
    scanned = scan([file], settings, None, TODAY)
    if policy == "required":
        with pytest.raises(Unknown, match="cannot be read to its end"):
            require_safe(scanned, settings, TODAY)
    else:
        assert [text for text in warnings(scanned, settings, TODAY) if "cannot be read to its end" in text]
    assert "not known: secrets" in scanned.summary


@pytest.mark.parametrize("policy", ["required", "advisory"])
def test_a_world_without_a_service(tmp_path: Path, policy: str) -> None:
    """Nobody is asked, the summary says so, and it is a warning if the scan is required."""
    settings = options(vulnerabilities=policy)
    scanned = scan([wheel(tmp_path)], settings, None, TODAY)
    require_safe(scanned, settings, TODAY)
    assert "not scanned: vulnerabilities" in scanned.summary
    assert len(list(warnings(scanned, settings, TODAY))) == (policy == "required")


def test_a_stopped_run(tmp_path: Path) -> None:
    """A run that the user stops is no scan that cannot tell."""
    with pytest.raises(Interrupted):
        scan([wheel(tmp_path)], options(), FakeScanner(Interrupted("stopped")), TODAY)


def test_a_release_without_a_wheel() -> None:
    """Without a wheel nothing says what is needed."""
    scanned = scan([], options(), FakeScanner(Unknown("not asked")), TODAY)
    assert scanned == Scanned()
