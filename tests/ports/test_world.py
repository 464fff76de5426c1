"""What a world says about one release."""

from __future__ import annotations

import pytest

from unmoor.config.real_world import real_world
from unmoor.ports.world import SigningPlace
from unmoor.util.values import replace


@pytest.mark.parametrize(
    ("identity", "tag", "expected"),
    [
        ("", "v1", ""),
        ("https://e.org/issue", "v1", "https://e.org/issue"),
        ("https://e.org/{tag}", "v1.0", "https://e.org/v1.0"),
        ("https://e.org/{tag}/t", "demo/v1?x#y%", "https://e.org/demo%2Fv1%3Fx%23y%25/t"),
        ("https://e.org/{tag}", "../{tag}", "https://e.org/..%2F%7Btag%7D"),
    ],
)
def test_id_tokens_are_those_of_the_tag(identity: str, tag: str, expected: str) -> None:
    """The tag is quoted in the address of the issuer, and everything else stays as it is."""
    world = replace(real_world("acme/demo", {}), signing=SigningPlace(identity=identity))
    asked = world.for_tag(tag)
    assert asked.signing == SigningPlace(identity=expected)
    assert replace(asked, signing=world.signing) == world
    assert replace(world, signing=None).for_tag(tag).signing is None
