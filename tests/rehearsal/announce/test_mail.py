"""The mail server of a local world takes mail for its targets alone."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from tests.support.caught_messages import Catchers, start_catchers


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catchers]:
    """One world for this module."""
    with start_catchers(tmp_path_factory.mktemp("mails")) as running:
        yield running


def send(at: Catchers, *recipients: str) -> dict[str, tuple[int, bytes]]:
    """Send a mail, and return who was refused."""
    host, _, port = at.addresses["mail"].partition("://")[2].partition("?")[0].partition(":")
    mail = EmailMessage()
    mail["Subject"] = "A title with \u00e4"
    mail["From"] = "unmoor@rehearsal.invalid"
    mail["To"] = ", ".join(recipients)
    mail.set_content("A body\nof two lines")
    with smtplib.SMTP(host, int(port.rstrip("/")), timeout=10) as server:
        return server.send_message(mail)


def test_a_mail_is_kept_for_its_target(at: Catchers) -> None:
    """With its subject and its text; a mail to several recipients is refused for those that are no target."""
    refused = send(at, "mail@rehearsal.invalid", "somebody@example.org", "chat@rehearsal.invalid")
    assert {name: code for name, (code, _) in refused.items()} == {
        "somebody@example.org": 550,
        "chat@rehearsal.invalid": 550,
    }
    (kept,) = at.messages("mail")
    assert (kept.kind, kept.title, kept.text.splitlines()) == (
        "mail",
        "A title with \u00e4",
        ["A body", "of two lines"],
    )


def test_a_recipient_can_be_refused(at: Catchers) -> None:
    """A test names it in a file; then no mail arrives at all."""
    before = len(at.messages("mail"))
    file = at.folder / "announce" / "refused"
    file.write_text("mail@rehearsal.invalid\n", "utf-8")
    try:
        with pytest.raises(smtplib.SMTPRecipientsRefused, match="no such mailbox"):
            send(at, "mail@rehearsal.invalid")
    finally:
        file.unlink()
    assert len(at.messages("mail")) == before
