"""A report holds no secret, and nothing of where things are on the machine that wrote it."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from tests.support import release_reports
from tests.support.secrets_of_tests import SECRETS

from unmoor.diagnostics.privacy import redaction
from unmoor.render.html import release_page
from unmoor.render.report.markdown import markdown
from unmoor.render.report.model import ReleaseReport, ReportFailure, ReportWarning
from unmoor.render.report.privacy import scrubbed
from unmoor.render.report.summary import summary
from unmoor.util.secret import Secret
from unmoor.util.secret_scan import token_in
from unmoor.util.values import replace

HOME, CHECKOUT = Path(os.sep, "home", "jo"), Path(os.sep, "srv", "build", "demo")
LOGIN = "a-password-of-a-world"


def planted(text: str) -> ReleaseReport:
    """Return a report that has a text wherever a message stands."""
    return replace(
        release_reports.failed_report(),
        failures=(ReportFailure(stage="dists", what=f"it said:\n  {text}\nend", where=text, next_step=f"see {text}"),),
        warnings=(ReportWarning(stage="", text=text),),
        notes=f"# Notes\n\n{text}\n\nMore.\n",
    )


def forms(report: ReleaseReport) -> str:
    """Return every form of a report, one after the other."""
    whole = (summary(report), markdown(report), release_page.render(report), msgspec.json.encode(report).decode())
    return "\n".join(whole)


def scrub(report: ReleaseReport) -> ReleaseReport:
    """Scrub a report as the command does, on a machine with this home, login and checkout."""
    environ = {"HOME": str(HOME), "USERPROFILE": str(HOME), "USER": "jo", "SOME_TOKEN": "value-of-a-variable"}
    return scrubbed(report, redaction(environ, secrets=[Secret(LOGIN)], users=None), [CHECKOUT])


@pytest.mark.parametrize("kind", [kind for kind, secret in SECRETS.items() if token_in(secret)])
def test_a_token_is_in_no_form(kind: str) -> None:
    """Its line says which kind it was; the lines beside it stay."""
    seen = forms(scrub(planted(SECRETS[kind])))
    assert SECRETS[kind].strip().splitlines()[0] not in seen
    assert "is left out" in seen
    assert "More." in seen


@pytest.mark.parametrize("secret", [LOGIN, "value-of-a-variable", "https://u:hunter2hunter2@h.example/x"])
def test_a_login_is_in_no_form(secret: str) -> None:
    """Neither one of the world, nor one in a variable, nor one in an address."""
    seen = forms(scrub(planted(secret)))
    assert secret not in seen
    assert "hunter2" not in seen


def test_places_are_relative() -> None:
    """A path in the checkout is given relative to it, one in the home with a tilde, and owners keep their names."""
    home, checkout = HOME / ".config" / "x", CHECKOUT / "src" / "a.py"
    report = replace(planted(f"{checkout} and {CHECKOUT} and {home}"), repository="jo/demo")
    seen = scrub(report)
    assert seen.warnings[0].text == f"{Path('src', 'a.py')} and . and {Path('~', '.config', 'x')}"
    assert seen.repository == "jo/demo"
    assert not any(str(each) in forms(seen) for each in (HOME, CHECKOUT))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://forge.example/o/n/src/a.py", "see https://forge.example/o/n/src/a.py"),
        ("/src2/a and x/src/a", "/src2/a and x/src/a"),
        ("cc -I/src/lib /src/a.c", "cc -Ilib a.c"),
        ("n @ file:///src/n, (/src): '/src/'", "n @ file://n, (.): ''"),
        ("It is in /src. Or in /src.old.", "It is in .. Or in /src.old."),
    ],
    ids=["address", "longer", "option", "alone", "sentence"],
)
@pytest.mark.skipif(os.sep != "/", reason="the paths of another system")
def test_a_short_checkout_is_no_part_of_other_paths(text: str, shown: str) -> None:
    """Many containers have it in ``/src`` or ``/app``, which addresses have as well."""
    assert scrubbed(text, str, [Path("/src")]) == shown


@pytest.mark.parametrize("before", ["", "//", "[1m", "--root=", "a~", "x-", "file://"])
@pytest.mark.parametrize("after", ["", ".", "/a.py", "-old", "2"])
def test_a_long_checkout_is_nowhere(before: str, after: str) -> None:
    """Whatever stands around it: nothing else has such a name."""
    assert str(CHECKOUT) not in scrubbed(f"{before}{CHECKOUT}{after}", str, [CHECKOUT])


def test_scrubbing_changes_nothing_else() -> None:
    """An ordinary report comes out equal."""
    report = release_reports.ordinary_report()
    assert scrub(report) == report
