"""``unmoor verify``: check everything that a release published, as a stranger would."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import click

from unmoor.cli.help import GroupedCommand, examples
from unmoor.cli.options import json_option


class VerifyCommand(GroupedCommand):
    """The command ``unmoor verify`` with its options in groups."""

    groups: ClassVar = {"What to trust": ("identity", "trust_root"), "Where to look": ("from_world",)}


@click.command(
    cls=VerifyCommand,
    short_help="Check what anybody can download of a release: bytes, signatures, origin.",
    epilog=examples(
        "unmoor verify acme/demo@v1.2.3                     a release on GitHub, its files on the index, its images",
        "unmoor verify demo==1.2.3                          a package, also one that another tool released",
        "unmoor verify v1.2.3                               in a checkout: a release of that repository",
        "unmoor verify acme/demo@v1.2.3 --identity acme/demo/.github/workflows/release.yml",
        "unmoor verify acme/demo@v1.2.3 --trust-root roots.jsonl    after: gh attestation trusted-root > roots.jsonl",
        "unmoor verify acme/demo@v1.2.3 --from-world w/world.toml   in the local world of unmoor world up",
    ),
)
@click.option(
    "--identity",
    metavar="NAME",
    help="The repository (acme/demo) or the workflow (acme/demo/.github/workflows/release.yml) that must have signed"
    " everything, compared exactly.  [default: one workflow of the repository, whichever signed]",
)
@click.option(
    "--trust-root",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Check signatures against this trusted root, client trust config, or output of 'gh attestation"
    " trusted-root', without asking Sigstore.  [default: the keys of the public Sigstore]",
)
@click.option(
    "--from-world",
    envvar="UNMOOR_WORLD",
    show_envvar=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Read from the servers in this world file instead of the real ones.",
)
@json_option
@click.argument("target", metavar="[TAG | OWNER/NAME@TAG | PACKAGE==VERSION]", required=False)
def command(
    *, target: str | None, identity: str | None, trust_root: Path | None, from_world: Path | None, as_json: bool
) -> int:
    """Download a release and check every byte, signature and list of it. Needs no checkout and no credentials.

    On the release page, the index and the registries it compares the files with SHA256SUMS and the
    manifest, and with each other. It checks every signature, and that the release workflow of this
    repository (by number, since anybody can take a name that became free) made it for this tag and
    its commit; which commit the provenance says was built; the attestations on the index (PEP 740)
    and of images; and what the forge itself attests of an immutable release. A package that another
    tool released is judged by what the index has.

    Each line of the table is ok, missing (it is certain that it is not there), unknown (it could not
    be read or judged: this never passes), or wrong (other bytes, another signer, another commit: do
    not use the release).

    The exit code is 0 if everything is ok, 16 if anything is wrong, else 10 if anything is unknown,
    else 12 if anything is missing.
    """
    from unmoor.cli.verify_run import run

    return run(target, identity=identity, trust_root=trust_root, from_world=from_world, as_json=as_json)
