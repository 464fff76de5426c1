"""The stage ``prove-images`` inspects and tests images before anything is pushed; the proof lists their digests."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.engines import TestEngine, base_image, engine, runnable_image  # noqa: F401 - fixtures

from unmoor.adapters.engine import DockerEngine
from unmoor.adapters.process.shell import LocalShell
from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.images import ImageSettings, SmokeSettings
from unmoor.core.stage import Output, StageContext
from unmoor.errors import CheckFailed, Incomplete, TimedOut
from unmoor.images import image_names
from unmoor.ports.engine import ImageFacts, Member, Recipe
from unmoor.products import Image, Images, Release, Verdict
from unmoor.stages.prove_images import ProveImages, _pythons
from unmoor.util.values import replace

RELEASE = Release(
    repository="acme/demo",
    project="demo",
    tag="v1.0",
    version="1.0",
    commit="1" * 40,
    date=1_700_000_000,
    prerelease=False,
    highest=True,
)
# Stands for a Python that has the project's version 1.0; says nothing of any other.
PYTHON_COPIED = "COPY python /bin/python\n"
PYTHON = '#!/bin/sh\n[ "$3" = demo ] || exit 3\necho unmoor:1.0\n'


class ImageProofs:
    """Builds small images and proves them."""

    def __init__(self, at: TestEngine, shell: LocalShell, folder: Path, base: str) -> None:
        self.docker = DockerEngine(shell=shell, processes=shell.processes, environ={**os.environ, **at.environ})
        self.at, self.folder, self.base = at, folder, base
        self.run = RunFolder(folder / ".unmoor" / "v1.0")
        self.messages: list[str] = []
        self.warned: list[str] = []
        self.names: list[str] = []

    def image(self, more: str = PYTHON_COPIED, *, labels: dict[str, str] | None = None, user: str = "7") -> Image:
        """An image with these lines on top of a shell and a stand-in for Python."""
        context = self.folder / uuid.uuid4().hex
        context.mkdir()
        (context / "python").write_text(PYTHON)
        (context / "python").chmod(0o755)
        (context / "key").write_text("-----BEGIN RSA PRIVATE KEY-----\n")
        (context / "Dockerfile").write_text(f"FROM {self.base}\n{more}USER {user}\n")
        tag = f"unmoor.local/proof:{uuid.uuid4().hex[:12]}"
        self.names.append(tag)
        given = {image_names.REVISION: RELEASE.commit, image_names.VERSION: "1.0", **(labels or {})}
        recipe = Recipe(
            context=context, dockerfile="Dockerfile", target="", platform="linux/amd64", tag=tag, labels=given
        )
        built = self.docker.build(recipe)
        return Image(name="ghcr.io/acme/demo", target="", platform="linux/amd64", id=built, size=1)

    def stage(self, settings: ImageSettings | None = None) -> ProveImages:
        """The stage over this engine."""
        return ProveImages(
            name="prove-images",
            release=Output("tag"),
            images=Output("images"),
            engine=self.docker,
            folder=self.run,
            settings=(settings or ImageSettings(),),
            repository="acme/demo",
        )

    def context(self, *images: Image, release: Release = RELEASE) -> StageContext:
        """The context for the stage."""
        products = {"tag": release, "images": Images(images=images)}
        return StageContext(products, say=self.messages.append, warn=self.warned.append)

    def smoked(self, image: Image, smoke: SmokeSettings) -> str:
        """Prove an image with one smoke command, and return why it failed."""
        with pytest.raises((CheckFailed, TimedOut)) as caught:
            self.stage(ImageSettings(smoke=(smoke,))).make(self.context(image))
        assert self.run.read_proof("prove-images") is None
        return str(caught.value)


@pytest.fixture
def proofs(engine: TestEngine, runnable_image: str, shell: LocalShell, tmp_path: Path) -> Iterator[ImageProofs]:  # noqa: F811
    """The real engine, and images with a shell."""
    made = ImageProofs(engine, shell, tmp_path, runnable_image)
    yield made
    made.docker.remove(made.names)


SMOKE = (
    SmokeSettings(name="plain", run=("echo", "fine")),
    SmokeSettings(name="version", run=("-c", "echo demo, version 1.0"), entrypoint="sh", expect="{version}"),
    SmokeSettings(name="inside", run=("echo", "the v1.0, says demo-1.0."), expect="v{version}, says"),
    SmokeSettings(name="elsewhere", run=("false",), targets=("other",)),
)


@pytest.mark.journey
def test_make_then_find(proofs: ImageProofs) -> None:
    """The proof of a good image is found again by its digest, and not for another image."""
    image, stage = proofs.image(), proofs.stage(ImageSettings(smoke=SMOKE))
    context = proofs.context(image)
    assert "run plain, version, inside, elsewhere" in stage.plan()
    assert stage.find(context) is None
    proof = stage.make(context)
    (subject,) = proof.subjects
    assert (subject.name, f"sha256:{subject.sha256}") == ("ghcr.io/acme/demo: linux/amd64", image.id)
    assert [result.name.partition(": ")[2] for result in proof.results] == [
        "labels",
        "layers",
        "user",
        "plain",
        "version",
        "inside",
        "version",
    ]
    assert {result.verdict for result in proof.results} == {Verdict.PASSED}
    assert stage.find(context) == proof
    assert stage.find(proofs.context(replace(image, id="sha256:" + "0" * 64))) is None
    assert proofs.warned == []


@pytest.mark.journey
@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("COPY python /app/.env\n", "layer 3 holds a file of environment variables, /app/.env"),
        ("COPY python /app/.git/HEAD\n", "the repository's history, /app/.git/HEAD"),
        ('COPY python /root/.pypirc\nRUN ["busybox", "rm", "/root/.pypirc"]\n', "a login for an index"),
        ("COPY key /etc-key\n", "a private key, /etc-key"),
        ("ENV DB_PASSWORD=hunter2\n", "its environment holds a value of DB_PASSWORD"),
        ("ARG TOKEN=hunter2\nRUN echo $TOKEN\n", "its history holds a value of TOKEN"),
        ("RUN echo ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", "its history holds a GitHub token"),
    ],
    ids=["env", "git", "removed", "key", "environment", "argument", "token"],
)
def test_planted_secrets(proofs: ImageProofs, lines: str, message: str) -> None:
    """A secret file is reported with its layer, even if a later layer removed it; its content is never shown."""
    with pytest.raises(CheckFailed) as caught:
        proofs.stage().make(proofs.context(proofs.image(PYTHON_COPIED + lines)))
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "ghp_" not in str(caught.value)


@pytest.mark.journey
def test_labels_version_and_size(proofs: ImageProofs) -> None:
    """A wrong commit, a wrong version and a size above the limit are reported together."""
    image = proofs.image(labels={image_names.REVISION: "2" * 40, image_names.VERSION: "1.1"})
    with pytest.raises(CheckFailed) as caught:
        proofs.stage(ImageSettings(max_size=10)).make(proofs.context(replace(image, platform="linux/386")))
    message = str(caught.value)
    for words in ("2" * 40, "says 1.1, not 1.0", "its platform is linux/amd64", "max-size allows 10"):
        assert words in message


@pytest.mark.journey
def test_warnings(proofs: ImageProofs) -> None:
    """A root user and caches are only warnings."""
    more = "COPY python /root/.cache/pip/x\nCOPY python /var/cache/apt/archives/x.deb\n"
    proofs.stage().make(proofs.context(proofs.image(PYTHON_COPIED + more, user="0")))
    message = "\n".join(proofs.warned)
    assert "runs as root" in message
    assert "pip's cache" in message
    assert "packages that apt downloaded" in message


@pytest.mark.journey
@pytest.mark.parametrize(
    ("smoke", "message"),
    [
        (SmokeSettings(name="bad", run=("sh", "-c", "echo why; exit 9")), "bad ended with exit code 9\nwhy"),
        (SmokeSettings(name="none", run=("nothing",)), "none ended with exit code 127"),
        (SmokeSettings(name="old", run=("echo", "1.0.1"), expect="{version}"), "old did not print 1.0\n1.0.1"),
        (SmokeSettings(name="new", run=("echo", "v11.0"), expect="v{version}"), "new did not print v1.0\nv11.0"),
        (SmokeSettings(name="hangs", run=("sleep", "100"), timeout=2), "hangs: it ran for more than 2 s"),
        (SmokeSettings(name="yes", run=("yes", "x" * 1000)), "yes: it printed more than 1000000 bytes"),
    ],
    ids=["fails", "absent", "old", "new", "hangs", "prints"],
)
def test_smoke_commands_that_fail(proofs: ImageProofs, smoke: SmokeSettings, message: str) -> None:
    """Each failure is one clear error with the command's name, and no proof is written."""
    assert message in proofs.smoked(proofs.image(), smoke)
    label = f"label=dev.unmoor.run={proofs.docker.processes.run}"
    assert proofs.at.docker("ps", "--all", "--quiet", "--filter", label) == ""


@pytest.mark.journey
def test_waived_smoke_commands(proofs: ImageProofs) -> None:
    """A waived command still runs, and its failure is in the proof; other faults of the image stop it all the same."""
    smoke = (
        SmokeSettings(name="bad", run=("sh", "-c", "exit 9")),
        SmokeSettings(name="good", run=("echo", "fine")),
    )
    image = proofs.image()
    stage = replace(proofs.stage(ImageSettings(smoke=smoke)), waived=True)
    made = stage.make(proofs.context(image))
    assert [each.name.rpartition(": ")[2] for each in made.waived] == ["bad"]
    assert "bad ended with exit code 9" in made.waived[0].detail
    assert stage.find(proofs.context(image)) == made
    # Nothing records an emergency, so that a run without one tests the image again.
    plain = replace(stage, waived=False)
    assert plain.find(proofs.context(image)) is None
    with pytest.raises(CheckFailed, match="bad ended"):
        plain.make(proofs.context(image))
    with pytest.raises(CheckFailed, match=r"says 1\.1, not 1\.0"):
        stage.make(proofs.context(proofs.image(labels={image_names.VERSION: "1.1"})))


@pytest.mark.journey
def test_the_version_inside(proofs: ImageProofs) -> None:
    """A wrong version, a missing project and a failing Python are errors; an image without Python is not tested."""
    image = proofs.image()
    with pytest.raises(CheckFailed, match=r"1\.0 of demo is installed, not 2\.0"):
        proofs.stage().make(
            proofs.context(proofs.image(labels={image_names.VERSION: "2.0"}), release=replace(RELEASE, version="2.0"))
        )
    with pytest.raises(CheckFailed, match="other is not installed for any of /bin/python"):
        proofs.stage().make(proofs.context(image, release=replace(RELEASE, project="other")))
    with pytest.raises(CheckFailed, match="cannot report which version is installed"):
        proofs.stage().make(proofs.context(proofs.image(PYTHON_COPIED + 'RUN echo "exit 5" > /bin/python\n')))
    proof = proofs.stage().make(
        proofs.context(proofs.image(PYTHON_COPIED + 'RUN ["busybox", "mv", "/bin/python", "/bin/perl"]\n'))
    )
    assert proof.results[-1].verdict is Verdict.NOT_TESTED


@pytest.mark.journey
def test_a_python_of_its_own(proofs: ImageProofs, base_image: str) -> None:  # noqa: F811
    """A real interpreter reports the version installed for it."""
    proofs.base = base_image
    more = (
        "RUN d=$(python3 -c 'import site; print(site.getsitepackages()[0])')/demo-1.0.dist-info"
        " && mkdir -p $d && printf 'Metadata-Version: 2.1\\nName: demo\\nVersion: 1.0\\n' > $d/METADATA\n"
    )
    proof = proofs.stage().make(proofs.context(proofs.image(more)))
    assert proof.results[-1].verdict is Verdict.PASSED
    assert "according to /usr/" in proof.results[-1].detail


@pytest.mark.journey
def test_an_image_that_is_gone(proofs: ImageProofs) -> None:
    """If the engine lost an image, the error says what to do."""
    image = Image(name="ghcr.io/acme/demo", target="", platform="linux/amd64", id="sha256:" + "0" * 64, size=1)
    with pytest.raises(Incomplete) as caught:
        proofs.stage().make(proofs.context(image))
    assert "builds it again" in caught.value.what
    assert caught.value.retryable


def test_pythons_in_the_order_of_path() -> None:
    """Interpreters on PATH come first; other files do not count."""
    paths = ("usr/bin/python3", "usr/bin/python3.11", "opt/venv/bin/python", "usr/bin/python3-config", "lib/python")
    members = [Member(layer=0, path=path, size=1) for path in paths]
    facts = ImageFacts(
        id="",
        size=0,
        platform="",
        user="",
        labels={},
        entrypoint=(),
        command=(),
        env=("A=b", "PATH=/opt/venv/bin:/usr/bin"),
        history=(),
    )
    assert _pythons(members, facts) == ("/opt/venv/bin/python", "/usr/bin/python3", "/usr/bin/python3.11")
    assert _pythons([], facts) == ()
    gone = ("usr/bin/.wh.python3", "opt/.wh.venv")
    assert _pythons([*members, *(Member(layer=1, path=path, size=0) for path in gone)], facts) == (
        "/usr/bin/python3.11",
    )
    again = [*members, Member(layer=1, path="usr/bin/.wh..wh..opq", size=0), Member(layer=1, path=paths[0], size=1)]
    assert _pythons(again, facts) == ("/opt/venv/bin/python", "/usr/bin/python3")
