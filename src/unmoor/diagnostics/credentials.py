"""Which credentials a run would find, and where; never what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from unmoor.diagnostics.facts import Answer, FactGroup, Question, absent
from unmoor.ports.world import Login, World
from unmoor.util.secret_scan import is_secret_name
from unmoor.util.text import list_some

_MOST = 20


def credentials(
    world: World, identity: Callable[[], Answer], *, index_login: Callable[[str, str], Login] | None
) -> Iterator[Question]:
    """Yield a question for each login of a world, and for the ``identity`` of the CI job.

    ``index_login`` looks up the login of an index by its name and the address of its uploads, ``None`` if the world has
    its logins already: those of the real indexes may be in a keyring, which can take seconds.
    """
    for index in (world.index, world.staging):
        if index is not None:
            found = partial(index_login, index.name, index.upload) if index_login else partial(_known, index.login)
            yield _login(index.name, found)
    yield _login("forge", partial(_known, world.forge.login))
    for registry in world.registries:
        yield _login(registry.host, partial(_known, registry.login))
    yield Question(group=FactGroup.CREDENTIALS, name="ID tokens", ask=identity)


def secret_variables(environ: Mapping[str, str]) -> Question:
    """The question which variables of the environment look like secrets, by their names."""

    def ask() -> Answer:
        names = sorted(name for name, value in environ.items() if value and is_secret_name(name))
        return Answer(value=list_some(names, _MOST)) if names else absent("none")

    return Question(group=FactGroup.CREDENTIALS, name="secret variables", ask=ask)


def _known(login: Login) -> Login:
    return login


def _login(name: str, look: Callable[[], Login]) -> Question:
    def ask() -> Answer:
        login = look()
        return Answer(value=f"found in {login.origin}") if login.secret else absent(_without(login.origin))

    return Question(group=FactGroup.CREDENTIALS, name=name, ask=ask)


def _without(origin: str) -> str:
    return origin if origin.startswith(("none", "nowhere")) else f"none: {origin}"
