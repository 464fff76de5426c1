"""``unmoor announce``: tell people of a release, or tell them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.command(
    short_help="Tell people of a release, once.",
    epilog=examples(
        "unmoor announce v1.2.3                    to each target that has got no message yet",
        "unmoor announce v1.2.3 --again chat       to the target chat, whatever is known of an earlier message",
        "unmoor announce v1.2.3 --failed           that the release failed, such as in a job of its own",
        "unmoor announce v1.2.3 --show             what is known of each message; sends nothing",
    ),
)
@click.option(
    "--again",
    metavar="NAME",
    multiple=True,
    help="Send to this target again, whatever is known of an earlier message. Can be repeated. No other target gets one"
    " then.",
)
@click.option("--failed", is_flag=True, help="Say that the release failed, instead of that it is public.")
@click.option("--show", is_flag=True, help="Print what is known of each message. Sends nothing.")
@target_options()
@json_option
def command(*, target: TargetOptions, again: tuple[str, ...], failed: bool, show: bool, as_json: bool) -> int:
    """Send a message about the release of TAG to the targets in [tool.unmoor.announce].

    Nobody can look up whether a message arrived, so each is sent at most once. The notes of the release
    say so, in comments that its page does not show: "sending" before a message is sent, "sent" or
    "refused" afterwards. A run that is killed in between leaves "sending": the message may have arrived.
    No run repeats it. If you know that it did not arrive, use --again.

    A target is a name for a variable with the address of a chat, mailbox or service, in the notation of
    apprise. Only the names are printed, never the addresses and never what a service answers. Install
    unmoor[announce] for it. A target that does not answer within 30 s is given up.

    The exit code is 0 if every message is known to be sent, 12 if not, and 10 if the forge cannot be
    read. As a stage of a release, announcements only warn.
    """
    from unmoor.cli.announce_run import run

    return run(target, again=again, failed=failed, show=show, as_json=as_json)
