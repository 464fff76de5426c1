"""The jobs of release.yml that build and test. They run the project's code, and have no credential that can write."""

from __future__ import annotations

from typing import Final

from unmoor import advice
from unmoor.config.workflows import System
from unmoor.errors import ConfigError
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.model import Scalar, Script, Step, Uses, WorkflowJob
from unmoor.workflows.release_parts import (
    READ,
    RUN_FOLDER,
    Digest,
    begin,
    folder_of,
    images,
    images_of,
    is_compiled,
    manifest_of,
    minutes,
    needs_of,
    outputs_of,
    project_pythons,
    proofs_of,
    read_token,
    release_step,
    variable_of,
)
from unmoor.workflows.runners import RUNNERS
from unmoor.workflows.steps import BY_HASH, TOOL_PYTHON, WHEELS_LIST, download, hand_over_tool, upload

BUILT: Final = manifest_of("build", "BUILT")
MERGED: Final = manifest_of("merge", "MERGED")
DOCS: Final = manifest_of("docs", "DOCS")
PROOFS: Final = f"{RUN_FOLDER}*/proofs/*.json"

# The platforms that a runner has itself; images of the others are built and run by QEMU.
_NATIVE: Final[dict[str, System]] = {"linux/amd64": "linux", "linux/386": "linux", "linux/arm64": "linux-arm"}
_EMULATED: Final = frozenset({"arm", "riscv64", "ppc64le", "s390x", "mips64le", "loong64"})
# What a machine cannot test: it has no musl, and no runner of Windows on ARM has an older Python.
_UNTESTED: Final = {"linux": "*-musllinux_*", "linux-arm": "*-musllinux_*", "windows-arm": "cp3{8,9,10}-*"}
_OLDEST_ON: Final = {"windows-arm": (3, 11)}
_FREE_THREADED_SINCE: Final = (3, 14)
_CIBUILDWHEEL_MINUTES = 120


def build_jobs(facts: WorkflowFacts) -> tuple[WorkflowJob, ...]:
    """Every job before the first one with a credential. Raises `ConfigError` for a platform that no runner has."""
    test = (_test(facts),) if not is_compiled(facts) or _has_sdist(facts) else ()
    wheels = _wheel_jobs(facts) if is_compiled(facts) else ()
    docs = (_docs(facts),) if has_docs(facts) else ()
    joined = (*wheels[:-1], *docs, *wheels[-1:])  # the last one joins what the others hand over
    return (_build(facts), *test, *joined, *(_image_job(facts, platform) for platform in facts.platforms))


def files_digests(facts: WorkflowFacts) -> tuple[Digest, ...]:
    """The digests of the files that are released, and of the proofs that they were tested."""
    if is_compiled(facts):
        return (MERGED,)
    return (BUILT, *proofs_of(facts, "test"))


def files_steps(facts: WorkflowFacts) -> tuple[Uses, ...]:
    """Take over the files that are released, with the proofs, from the jobs that made each."""
    if is_compiled(facts):
        return (download("merged", RUN_FOLDER),)
    return (download("built", RUN_FOLDER), download("proofs", RUN_FOLDER))


def image_id(platform: str) -> str:
    """The job that builds the images of a platform, and what it hands over."""
    return f"image-{platform.replace('/', '-')}"


def image_digests(facts: WorkflowFacts) -> tuple[Digest, ...]:
    """The digests of the images of each platform."""
    return tuple(images_of(image_id(platform)) for platform in facts.platforms)


def _build(facts: WorkflowFacts) -> WorkflowJob:
    compiled = is_compiled(facts)
    from_checkout = facts.settings.workflows.tool == "checkout"
    what = "the sdist, which every wheel is built from" if compiled else "the files"
    options = ("--dry-run", "--until check-dists")
    tool = {"tool-sha256": "${{ steps.tool.outputs.sha256 }}"} if from_checkout else {}
    return WorkflowJob(
        id="build",
        name="Build",
        comment=f"Builds {what}. These bytes are released: the job that runs the tests hands on none.",
        only_if="github.ref_type == 'tag'",
        minutes=minutes(facts),
        permissions=(READ,),
        outputs={**outputs_of(BUILT), **tool},
        steps=(
            *begin(facts, pythons=project_pythons(facts), built_by=""),
            *((hand_over_tool(),) if from_checkout else ()),
            release_step("Build and check the files", options, env={**_formats(facts), **read_token(facts)}),
            upload("built", RUN_FOLDER),
        ),
    )


def has_docs(facts: WorkflowFacts) -> bool:
    """Whether the release has documentation."""
    return facts.settings.docs is not None


def docs_folders(facts: WorkflowFacts) -> tuple[str, ...]:
    """The option that joins the documentation with the files that it was built with, where no job has done so."""
    return (f"--dists {folder_of(facts, 'docs')}",) if has_docs(facts) and not is_compiled(facts) else ()


def docs_steps(facts: WorkflowFacts) -> tuple[Uses, ...]:
    """Take over the documentation from the job that built it, where no job has joined it with the files."""
    return (download("docs", "handed/docs"),) if docs_folders(facts) else ()


def docs_digests(facts: WorkflowFacts) -> tuple[Digest, ...]:
    """The digest of the manifest that lists the documentation, where no job has joined it with the files."""
    return (DOCS,) if docs_folders(facts) else ()


def _docs(facts: WorkflowFacts) -> WorkflowJob:
    """Build the documentation with the built files: with the wheels of one system if several build some."""
    system: System = "linux" if "linux" in facts.wheels or not is_compiled(facts) else facts.wheels[0]
    built = f"wheels-{system}" if is_compiled(facts) else "build"
    artifact = built if is_compiled(facts) else "built"
    return WorkflowJob(
        id="docs",
        name="Documentation",
        comment="Builds the documentation. Of what it hands on, the files are those of the job that built them.",
        needs=needs_of(facts, built),
        runs_on=RUNNERS[system],
        minutes=minutes(facts),
        permissions=(READ,),
        outputs=outputs_of(DOCS),
        steps=(
            *begin(facts, pythons=project_pythons(facts)),
            download(artifact, f"handed/{artifact}" if is_compiled(facts) else RUN_FOLDER),
            release_step(
                "Build the documentation",
                ("--dry-run", "--until build-docs"),
                (manifest_of(built) if is_compiled(facts) else BUILT,),
                folders=(f"--dists {folder_of(facts, artifact)}",) if is_compiled(facts) else (),
                env=read_token(facts),
            ),
            upload("docs", RUN_FOLDER),
        ),
    )


def _has_sdist(facts: WorkflowFacts) -> bool:
    """Whether the sdist is released, and not only built from."""
    return "sdist" in facts.settings.formats


def _formats(facts: WorkflowFacts) -> dict[str, Scalar]:
    """What the jobs make that build and test what no other machine does."""
    return {"UNMOOR_FORMATS": "sdist"} if is_compiled(facts) else {}


def _test(facts: WorkflowFacts) -> WorkflowJob:
    """Test the files on another machine than the one that built them, which builds them a second time to compare."""
    return WorkflowJob(
        id="test",
        name="Test",
        comment="Hands on nothing but proofs, which name the files that they are about by sha256.",
        needs=("build",),
        minutes=minutes(facts),
        permissions=(READ,),
        outputs=outputs_of(*proofs_of(facts, "test")),
        steps=(
            *begin(facts, pythons=project_pythons(facts, tests=True)),
            download("built", RUN_FOLDER),
            release_step(
                "Install and test the files",
                ("--dry-run", "--until prove-dists"),
                (BUILT,),
                env={**_formats(facts), **read_token(facts)},
            ),
            upload("proofs", PROOFS),
        ),
    )


def _wheel_jobs(facts: WorkflowFacts) -> tuple[WorkflowJob, ...]:
    """A job for each machine that builds wheels, and one that joins what they hand over."""
    legs = tuple(f"wheels-{system}" for system in facts.wheels)
    sdist = ("build", "test") if _has_sdist(facts) else ()
    joined = {**({"built": "proofs"} if sdist else {}), **{leg: f"proofs-{leg}" for leg in legs}}
    docs = ("docs",) if has_docs(facts) else ()
    digests = (
        *((BUILT, *proofs_of(facts, "test")) if sdist else ()),
        *(each for leg in legs for each in (manifest_of(leg), *proofs_of(facts, leg, f"_{variable_of(leg)}"))),
        *((DOCS,) if docs else ()),
    )
    merge = WorkflowJob(
        id="merge",
        name="Merge",
        comment="Joins the files and proofs of all machines, each by its digest. It runs no code of the project.",
        needs=needs_of(facts, *sdist, *legs, *docs),
        minutes=minutes(facts),
        permissions=(READ,),
        outputs=outputs_of(MERGED),
        steps=(
            *begin(facts),
            *(download(name, f"handed/{files}") for files, proofs in joined.items() for name in (files, proofs)),
            *(download(name, f"handed/{name}") for name in docs),
            release_step(
                "Join the tested files",
                ("--dry-run", "--until prove-dists", "--no-project-code"),
                digests,
                folders=tuple(f"--dists {folder_of(facts, each)}" for each in (*joined, *docs)),
                env=read_token(facts),
            ),
            upload("merged", RUN_FOLDER),
        ),
    )
    return (*(_leg(facts, system) for system in facts.wheels), merge)


def _leg(facts: WorkflowFacts, system: System) -> WorkflowJob:
    """Build the wheels of one system with cibuildwheel, and test each on the machine that built it."""
    name, built = f"wheels-{system}", "--built wheelhouse"
    return WorkflowJob(
        id=name,
        name=f"Wheels for {system}",
        comment="Builds wheels from the checked sdist, hands them on, and then tests them, which hands on proofs.",
        needs=("build",),
        runs_on=RUNNERS[system],
        minutes=minutes(facts, spare=_CIBUILDWHEEL_MINUTES),
        permissions=(READ,),
        outputs={**outputs_of(manifest_of(name)), **outputs_of(*proofs_of(facts, name), step="test")},
        steps=(
            *begin(facts, pythons=_leg_pythons(facts, system)),
            download("built", "handed/built"),
            release_step(
                "Take over the sdist by its digest",
                ("--dry-run", "--until check-dists"),
                (BUILT,),
                folders=(f"--dists {folder_of(facts, 'built')}",),
                env={"UNMOOR_FORMATS": "sdist", **read_token(facts)},
                step="sdist",
            ),
            *_cibuildwheel(facts, system),
            release_step("Check the wheels", ("--dry-run", "--until check-dists", built), env=read_token(facts)),
            upload(name, RUN_FOLDER),
            release_step(
                "Test the wheels", ("--dry-run", "--until prove-dists", built), env=read_token(facts), step="test"
            ),
            upload(f"proofs-{name}", PROOFS),
        ),
    )


def _cibuildwheel(facts: WorkflowFacts, system: str) -> tuple[Step, ...]:
    """Install cibuildwheel by hash, away from unmoor and what that needs, and build wheels of the checked sdist.

    Its own settings are in the project. These two replace them: a wheel that the machine cannot install has no proof.
    """
    folder = "Scripts" if system.startswith("windows") else "bin"
    python = f'"$RUNNER_TEMP/cibuildwheel/{folder}/python"'
    install = f'python -P -m venv "$RUNNER_TEMP/cibuildwheel"\n{python} -P -m {BY_HASH} {WHEELS_LIST}\n'
    build = (
        "mkdir sdist\n"
        "mv .unmoor/*/dists/*.tar.gz sdist/\n"
        "rm -r .unmoor\n"
        f"{python} -P -m cibuildwheel --output-dir wheelhouse sdist/*.tar.gz\n"
    )
    untested = _UNTESTED.get(system, "")
    skipped: dict[str, Scalar] = {"CIBW_SKIP": f"{facts.skipped_wheels} {untested}".strip()} if untested else {}
    return (
        Script(name="Install cibuildwheel by hash", script=install),
        Script(
            name="Build the wheels",
            script=build,
            env={"CIBW_ARCHS": "auto64", **skipped},
        ),
    )


def _leg_pythons(facts: WorkflowFacts, system: str) -> tuple[str, ...]:
    """A Python for each wheel that cibuildwheel builds by default: it builds free-threaded ones since 3.14."""
    minors = {each: tuple(map(int, each.removesuffix("t").split("."))) for each in facts.pythons}
    usual = [each for each, minor in minors.items() if minor >= _OLDEST_ON.get(system, (3,))]
    free = [f"{each.removesuffix('t')}t" for each in usual if minors[each] >= _FREE_THREADED_SINCE]
    return (*usual, *free, *facts.settings.test_pythons, TOOL_PYTHON)


def _image_job(facts: WorkflowFacts, platform: str) -> WorkflowJob:
    """Build the images of one platform around the tested files, and test them."""
    name = image_id(platform)
    secrets = {secret: f"${{{{ secrets.{secret} }}}}" for image in images(facts) for secret in image.secrets}
    options = ("--dry-run", "--until prove-images", f"--platform {platform}", "--keep-images")
    made_by = ("merge",) if is_compiled(facts) else ("build", "test")
    return WorkflowJob(
        id=name,
        name=f"Images for {platform}",
        needs=needs_of(facts, *made_by),
        runs_on=RUNNERS[_NATIVE.get(platform, "linux")],
        minutes=minutes(facts),
        permissions=(READ,),
        outputs=outputs_of(images_of(name)),
        steps=(
            *begin(facts),
            *_emulation(platform),
            *files_steps(facts),
            release_step(
                "Build and test the images", options, files_digests(facts), env={**secrets, **read_token(facts)}
            ),
            upload(name, RUN_FOLDER),
        ),
    )


def _emulation(platform: str) -> tuple[Step, ...]:
    """What lets a runner build and run images of a platform that it is not of. Raises `ConfigError`."""
    if platform in _NATIVE:
        return ()
    system, _, architecture = platform.partition("/")
    if system != "linux" or architecture.partition("/")[0] not in _EMULATED:
        raise ConfigError(
            f"no hosted runner builds and runs images of {platform}",
            where="[[tool.unmoor.image]]: platforms",
            next_step=advice.NAME_HOSTED_PLATFORMS(),
        )
    # What it caches, a run of any branch may have written.
    return (Uses(action="docker/setup-qemu-action", inputs={"platforms": platform, "cache-image": False}),)
