"""The token for the forge: that the forge accepts it, for this repository, and what it may do there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from unmoor import advice
from unmoor.checks.access.asking import services_of
from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, CheckRemark, RepositoryCheck
from unmoor.errors import Denied, Unknown

if TYPE_CHECKING:
    from unmoor.ports.services import Services


def _run(context: CheckContext) -> Iterator[CheckProblem | CheckRemark]:
    services = services_of(context)
    forge = services.forge
    if not forge.has_token():
        raise Unknown("there is no token for the forge", next_step=advice.GIVE_FORGE_TOKEN(), retryable=False)
    try:
        seen = forge.repository()
    except Denied as error:
        # The forge has answered: the token is the problem, or the name of the repository.
        yield CheckProblem(what=error.what, where=error.where, next_step=error.next_step)
        return
    expected = context.repository()
    if expected and seen.full_name.lower() != expected.lower():
        yield CheckProblem(
            what=f"the repository is {seen.full_name} now, and the remote or the settings name {expected}",
            next_step=advice.SET_REPOSITORY(repository=seen.full_name),
        )
    if seen.archived:
        yield CheckProblem(
            what=f"{seen.full_name} is archived, so nothing can be released", next_step=advice.UNARCHIVE_REPOSITORY()
        )
    if seen.can_push is False:
        what = "the token may not write, so unmoor can neither push nor release with it on this machine"
        yield CheckProblem(what=what, next_step=advice.ALLOW_WRITING(), level=CheckLevel.WARNING)
    yield CheckRemark(what=_rights(services, writes=seen.can_push))


def _rights(services: Services, *, writes: bool | None) -> str:
    administers = services.rules.repository().can_administer
    words = {True: "may", False: "may not", None: "does not say whether it may"}
    return f"the token {words[writes]} write, and {words[administers]} administer the repository"


CHECK = RepositoryCheck(
    id="token",
    group=CheckGroup.ACCESS,
    level=CheckLevel.CRITICAL,
    title="The forge accepts the token of this machine for the repository, which is not archived",
    reads="the repository on the forge, with GITHUB_TOKEN or GH_TOKEN",
    remedy="use a token of somebody who may write to the repository, and correct the name of the repository",
    run=_run,
)
