"""``unmoor deploy``: deploy what belongs to a public release, one thing at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import digest_option, json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


_any_version_option = click.option(
    "--any-version",
    is_flag=True,
    help="Deploy TAG even if it is a prerelease, or a higher final version is released.",
)


@click.group(short_help="Deploy documentation, a Space or a service of a release.")
def command() -> None:
    """Deploy what belongs to a public release: its documentation, its Space, its services.

    `unmoor release` does this at its end. Use these commands to go on after a failure, in a job of its own, or to
    deploy a release again. Each first looks what is there, and does only what is missing.

    The release is found by its tag. Nothing is built, and no code of the project runs: what is deployed is what the
    manifest on the release lists, if that is vouched for. The settings are those of the tag's commit.
    """


@command.command(
    short_help="Put the documentation of a release where it is read.",
    epilog=examples("unmoor deploy docs v1.2.3", "unmoor deploy docs --json v1.2.3", "unmoor deploy docs --as dev"),
)
@target_options()
@click.option(
    "--as", "name", metavar="NAME", help="Build the documentation of HEAD, and put it into this folder instead."
)
@digest_option
@json_option
def docs(*, target: TargetOptions, name: str | None, digests: tuple[str, ...], as_json: bool) -> int:
    """Deploy the documentation of TAG, as [tool.unmoor.docs] says.

    The documentation was built with the release and is an asset of it. TAG defaults to the tag of the run in GitHub
    Actions, and to the tag on HEAD elsewhere.

    With --as, the documentation is that of HEAD, which has to be the last commit of the default branch. It is built
    here with a wheel of that commit, and replaces what was in the folder NAME. Such a run is no release: there is no
    TAG, and it runs code of the project beside the token that pushes.
    """
    if name is not None:
        from unmoor.cli import deploy_dev

        if target.tag is not None or digests:
            raise click.UsageError("--as deploys HEAD: leave out TAG and --manifest-sha256")
        return deploy_dev.run(name, target, as_json=as_json)
    from unmoor.cli.deploy_run import run

    return run(("docs",), target, digests=digests, as_json=as_json)


@command.command(
    short_help="Commit the files of a release to its Space.",
    epilog=examples("unmoor deploy space v1.2.3", "unmoor deploy space --world w.toml v1.2.3"),
)
@target_options()
@digest_option
@_any_version_option
@json_option
def space(*, target: TargetOptions, digests: tuple[str, ...], any_version: bool, as_json: bool) -> int:
    """Deploy the Space of TAG, as [tool.unmoor.space] says, and wait until it runs.

    The files are those of the tag's commit. TAG defaults to the tag of the run in GitHub Actions, and to the tag on
    HEAD elsewhere. There is one Space for all versions, so it stays as it is unless TAG is the highest final version.
    """
    from unmoor.cli.deploy_run import run

    return run(("space",), target, digests=digests, any_version=any_version, as_json=as_json)


@command.command(
    short_help="Switch a service on this machine to the image of a release.",
    epilog=examples(
        "unmoor deploy service web v1.2.3",
        "unmoor deploy service web --hold v1.2.3     start and test it, and leave the proxy as it is",
        "unmoor deploy service web --proxy-config    print the backend for HAProxy",
    ),
)
@click.argument("name")
@click.option("--hold", is_flag=True, help="Start and test the new container, and do not switch to it.")
@click.option("--proxy-config", is_flag=True, help="Print what HAProxy's configuration needs, and deploy nothing.")
@target_options()
@digest_option
@_any_version_option
@json_option
def service(
    *,
    name: str,
    hold: bool,
    proxy_config: bool,
    target: TargetOptions,
    digests: tuple[str, ...],
    any_version: bool,
    as_json: bool,
) -> int:
    """Switch the service NAME to the image of TAG, as [tool.unmoor.service.NAME] says, and watch it.

    The image runs by the digest that was tested. TAG defaults to the tag of the run in GitHub Actions, and to the tag
    on HEAD elsewhere. A service runs one version, so it stays as it is unless TAG is the highest final version.
    """
    if proxy_config:
        from unmoor.cli.proxy_config import show

        return show(name, target)
    from unmoor.cli.deploy_run import run

    return run(("service", name), target, digests=digests, any_version=any_version, as_json=as_json, hold=hold)
