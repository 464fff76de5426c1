"""The settings of images: names, platforms, targets, smoke commands."""

from __future__ import annotations

import pytest

from unmoor.config.images import ImageSettings, SmokeSettings, TargetSettings
from unmoor.config.settings import resolve
from unmoor.errors import ConfigError


def images(text: str) -> tuple[ImageSettings, ...]:
    """Read the image tables of an unmoor.toml."""
    return resolve({"unmoor.toml": text.encode()}.get).settings.image


def test_an_empty_table_has_every_default() -> None:
    """The defaults: one platform, the last stage, the usual tags."""
    assert images("[[image]]\n") == (ImageSettings(),)
    assert ImageSettings().platforms == ("linux/amd64",)
    assert images("") == ()


def test_a_full_table() -> None:
    """A target is a suffix or a table; a smoke command is a table."""
    (image,) = images(
        "[[image]]\n"
        'name = "registry.example.org:5000/acme/demo"\nmirrors = ["docker.io/acme/demo"]\n'
        'targets = { production = { suffix = "-prod", floating = "prod" }, development = "" }\n'
        'smoke = [{ name = "version", run = ["--version"], expect = "{version}", entrypoint = "" }]\n'
    )
    assert image.targets == {"production": TargetSettings(suffix="-prod", floating="prod"), "development": ""}
    assert image.smoke == (SmokeSettings(name="version", run=("--version",), expect="{version}", entrypoint=""),)


NAME = "expected an image name with its registry, in lowercase, such as ghcr.io/owner/name"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('name = "ghcr.io/Acme/demo"', f'image.1.name: {NAME}, got "ghcr.io/Acme/demo"'),
        ('name = "demo"', f'image.1.name: {NAME}, got "demo"'),
        ('name = "acme/demo"', f'image.1.name: {NAME}, got "acme/demo"'),
        ('name = "ghcr.io/acme/demo:1"', f'image.1.name: {NAME}, got "ghcr.io/acme/demo:1"'),
        ('mirrors = ["X"]', f'image.1.mirrors: item 1: {NAME}, got "X"'),
        ("platforms = []", "image.1.platforms: expected at least one item, got an empty list"),
        ('platforms = ["linux/386", "linux/386"]', "image.1.platforms: 'linux/386' is listed twice"),
        ('platforms = ["linux"]', 'image.1.platforms: item 1: expected a platform such as linux/amd64, got "linux"'),
        ("tags = []", "image.1.tags: expected at least one item, got an empty list"),
        ('targets = { "a b" = "" }', "image.1.targets: 'a b' is not a valid stage name"),
        (
            'targets = { a = "/" }',
            "image.1.targets: '/' is not a valid tag suffix: use letters, digits, and . _ - only",
        ),
        (
            'targets = { a = "", b = "" }',
            "image.1.targets: two targets have the suffix '': their tags would be the same",
        ),
        ('targets = { a = { floating = "a b" } }', "image.1.targets: 'a b' is not a valid tag"),
        ('args = { "a-b" = "" }', "image.1.args: 'a-b' is not a valid ARG name"),
        ("smoke = [{}]", "image.1.smoke.1.name: missing: expected text on one line"),
        ("timeout = 1", "image.1.timeout: there is no such key; known keys: "),
        (
            'dockerfile = "../Dockerfile"',
            'image.1.dockerfile: expected a relative path inside the project, without .., got "../Dockerfile"',
        ),
    ],
)
def test_each_fault_has_its_message(line: str, message: str) -> None:
    """The message for a wrong value has its line and the expected value."""
    with pytest.raises(ConfigError) as caught:
        images(f"# settings\n[[image]]\n{line}\n")
    assert str(caught.value).startswith(f"unmoor.toml, line 3: {message}")


def test_no_variable_holds_tables() -> None:
    """An environment variable with the name of an array of tables is ignored."""
    assert resolve(lambda _: None, environ={"UNMOOR_IMAGE": "x"}).settings.image == ()
