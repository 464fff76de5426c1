"""The release workflow of every kind of project: who may do what, and who hands what to whom."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tests.support.workflow_samples import SAMPLES

from unmoor.config.settings import Settings
from unmoor.config.workflows import System
from unmoor.errors import ConfigError
from unmoor.util.values import replace
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.model import Script, Uses, WorkflowJob
from unmoor.workflows.release import release_file, release_workflow
from unmoor.workflows.steps import REPORT_PREFIX

EVERY = pytest.mark.parametrize("kind", SAMPLES)
TEST_ONLY = {"build", "test", "docs"}
READ_ON_RELEASE = "deploy-"
SECRET = re.compile(r"secrets\.|github\.token")


def jobs_of(facts: WorkflowFacts) -> dict[str, WorkflowJob]:
    """The jobs of the release workflow of a project, by id."""
    jobs = [job for job in release_workflow(facts).jobs if isinstance(job, WorkflowJob)]
    return {job.id: job for job in jobs}


def scripts(job: WorkflowJob) -> list[Script]:
    """The scripts of a job."""
    return [step for step in job.steps if isinstance(step, Script)]


def uses(job: WorkflowJob, action: str) -> list[Uses]:
    """The steps of a job that use an action."""
    return [step for step in job.steps if isinstance(step, Uses) and step.action == action]


def artifacts(job: WorkflowJob, action: str) -> list[str]:
    """The names of what a job uploads or downloads."""
    return [str(step.inputs["name"]) for step in uses(job, f"actions/{action}-artifact")]


def runs_project_code(job: WorkflowJob) -> bool:
    """Whether a job builds or tests the project."""
    return job.id in TEST_ONLY or job.id.startswith(("wheels-", "image-")) or job.id == "prove"


def digests(job: WorkflowJob) -> Iterator[tuple[str, str, str]]:
    """Each output of another job that a step gets: the variable, that job and the output."""
    for step in scripts(job):
        for variable, value in step.env.items():
            found = re.fullmatch(r"\$\{\{ needs\.([a-z0-9-]+)\.outputs\.([a-z0-9-]+) \}\}", str(value))
            if found:
                yield variable, found[1], found[2]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("pure", "build test:build hold:build,test prove:hold publish:hold,prove verify:publish"),
        ("plain", "build test:build hold:build,test publish:hold verify:publish"),
        (
            "compiled with images",
            (
                "build test:build wheels-linux:build wheels-windows:build merge:build,test,wheels-linux,wheels-windows"
                " image-linux-amd64:merge image-linux-arm64:merge"
                " hold:build,test,wheels-linux,wheels-windows,merge,image-linux-amd64,image-linux-arm64"
                " prove:hold publish:hold,prove verify:publish"
            ),
        ),
        (
            "wheels alone",
            (
                "build wheels-linux:build merge:wheels-linux hold:build,wheels-linux,merge prove:hold"
                " publish:hold,prove verify:publish"
            ),
        ),
        (
            "deployed",
            (
                "build test:build docs:build image-linux-amd64:build,test"
                " check-space:build check-service:build check-announce:build"
                " hold:build,test,docs,image-linux-amd64,check-space,check-service,check-announce"
                " prove:hold publish:hold,prove verify:publish deploy-docs:hold,publish deploy-space:hold,publish"
                " deploy-service-web:hold,publish announce:hold,publish,deploy-docs,deploy-space,deploy-service-web"
            ),
        ),
        (
            "compiled and documented",
            (
                "build test:build wheels-linux:build docs:wheels-linux merge:build,test,wheels-linux,docs"
                " hold:build,test,wheels-linux,docs,merge prove:hold publish:hold,prove verify:publish"
                " deploy-docs:hold,publish"
            ),
        ),
        (
            "documented",
            (
                "build test:build docs:build check-announce:build hold:build,test,docs,check-announce prove:hold"
                " publish:hold,prove verify:publish deploy-docs:hold,publish announce:hold,publish,deploy-docs"
            ),
        ),
        (
            "unmoor itself",
            (
                "build test:build image-linux-amd64:build,test hold:build,test,image-linux-amd64 prove:build,hold"
                " publish:build,hold,prove verify:build,publish"
            ),
        ),
    ],
)
def test_the_jobs_follow_from_the_project(kind: str, expected: str) -> None:
    """Each kind of project has its jobs, each with those that it needs."""
    found = [f"{job.id}:{','.join(job.needs)}".rstrip(":") for job in jobs_of(SAMPLES[kind]).values()]
    assert " ".join(found) == expected


@EVERY
def test_a_job_takes_over_only_what_a_job_it_needs_handed_over(kind: str) -> None:
    """Each artifact and each output comes from one job, which is in ``needs``: so any job can run again alone.

    GitHub keeps both of the jobs that are not repeated.
    """
    jobs = jobs_of(SAMPLES[kind])
    made_by = {name: job.id for job in jobs.values() for name in artifacts(job, "upload")}
    assert len(made_by) == sum(len(artifacts(job, "upload")) for job in jobs.values())
    for job in jobs.values():
        for name in artifacts(job, "download"):
            assert made_by[name] in job.needs, (job.id, name)
        for _, other, output in digests(job):
            assert other in job.needs
            assert output in jobs[other].outputs
        ids = {step.id for step in job.steps}
        for value in job.outputs.values():
            step = re.fullmatch(r"\$\{\{ steps\.([a-z]+)\.outputs\.[a-z0-9-]+ \}\}", value)
            assert step is not None
            assert step[1] in ids


@EVERY
def test_each_hand_over_has_its_digest(kind: str) -> None:
    """What a job downloads counts by a digest of the job that made it, and each digest is given to the command."""
    jobs = jobs_of(SAMPLES[kind])
    made_by = {name: job.id for job in jobs.values() for name in artifacts(job, "upload")}
    for job in jobs.values():
        given = list(digests(job))
        names = artifacts(job, "download")
        # What is deployed is read from the public release, by the same digest.
        on_release = {"hold"} if job.id.startswith(READ_ON_RELEASE) else set()
        assert {made_by[name] for name in names} | on_release == {other for _, other, _ in given}, job.id
        texts = "\n".join(step.script for step in scripts(job))
        for variable, _, output in given:
            argument = "TOOL_SHA256" if output == "tool-sha256" else f'--manifest-sha256 "${variable}"'
            assert texts.count(argument) == 1 or output == "tool-sha256", (job.id, variable)
        assert texts.count("--manifest-sha256") == sum(output != "tool-sha256" for _, _, output in given)


@EVERY
def test_only_a_proof_may_be_missing(kind: str) -> None:
    """A digest of files or images is always given, even if it is empty, which stops the command."""
    for job in jobs_of(SAMPLES[kind]).values():
        by_variable = {variable: output for variable, _, output in digests(job)}
        for step in scripts(job):
            missing = set(re.findall(r"\$\{([A-Z0-9_]+):\+", step.script)) - {"FAILED"}
            assert {by_variable[each] for each in missing} <= {
                "rebuild-sha256",
                "prove-testpypi-sha256",
            }


def is_report(step: Uses) -> bool:
    """Whether a step moves the report of a job."""
    return str(step.inputs.get("name", "")).startswith(REPORT_PREFIX)


@EVERY
def test_each_release_keeps_its_report_for_people(kind: str) -> None:
    """A job that releases uploads its report at the end, however it ended, and no job takes one over."""
    for job in jobs_of(SAMPLES[kind]).values():
        kept = [step for step in job.steps if isinstance(step, Uses) and is_report(step)]
        releases = any(step.script.startswith("unmoor release ") for step in scripts(job))
        assert [step.only_if for step in kept] == ["always()"] * releases, job.id
        assert all(step is job.steps[-1] and step.action == "actions/upload-artifact" for step in kept)


@EVERY
def test_no_file_is_handed_on_after_tests_ran(kind: str) -> None:
    """A hostile test suite may forge its own proof, and no byte of what is released.

    GitHub takes the outputs of a step when it ends, so a later step cannot change them.
    """
    for job in jobs_of(SAMPLES[kind]).values():
        tested = ""
        for step in job.steps:
            if isinstance(step, Script):
                tests = "prove-dists" in step.script or "prove-testpypi" in step.script
                tested = step.id if tests and "--no-project-code" not in step.script else tested
            elif step.action == "actions/upload-artifact" and tested and not is_report(step):
                assert str(step.inputs["path"]).startswith(".unmoor/*/proofs/"), job.id
        after = {name for name, value in job.outputs.items() if tested and f"steps.{tested}." in value}
        assert after <= {"prove-dists-sha256", "rebuild-sha256", "prove-testpypi-sha256"}, job.id


@EVERY
def test_no_script_contains_an_expression(kind: str) -> None:
    """Text from outside reaches a script through the environment alone."""
    for job in jobs_of(SAMPLES[kind]).values():
        for step in scripts(job):
            assert "${{" not in step.script, job.id
            if "unmoor " in step.script.splitlines()[0] and step.name != "Report the machine":
                assert step.script.rstrip().endswith('-- "$TAG"')


@EVERY
def test_only_unmoor_runs_beside_a_credential(kind: str) -> None:
    """A job that can write, or that has an environment, installs unmoor and runs it without code of the project.

    Every other step of it is an action of GitHub's own that moves files.
    """
    allowed = re.compile(
        r'unmoor release .*--no-project-code\b|unmoor (status|status --no-deployments|verify) -- "\$TAG"'
        r"|unmoor (deploy (docs|space|service [a-z]+)|announce)( |$)"
        r'|python -P -m pip install --quiet --require-hashes --no-deps --only-binary ":all:" |\.ci/install-tool '
        r"|unmoor doctor\n|git config --global "
    )
    for job in jobs_of(SAMPLES[kind]).values():
        writes = any(each.access == "write" for each in job.permissions)
        assert not (writes or job.environment) or job.id in {"hold", "publish", "deploy-docs", "announce"}
        if runs_project_code(job):
            continue
        for step in job.steps:
            if isinstance(step, Script):
                assert allowed.match(step.script), (job.id, step.script)
            else:
                assert step.action.startswith("actions/")


@EVERY
def test_secrets_reach_only_the_command_that_needs_them(kind: str) -> None:
    """Jobs that run the project's code get what its images declare, and a token to read a private one."""
    facts = SAMPLES[kind]
    declared = {name for image in facts.settings.image for name in image.secrets}
    for job in jobs_of(facts).values():
        found = {name: str(value) for step in job.steps for name, value in step.env.items()}
        secret = {name for name, value in {**found, **job.env}.items() if SECRET.search(str(value))}
        if runs_project_code(job) or job.id == "verify":
            reading = {"GITHUB_TOKEN"} if facts.settings.workflows.private else set()
            assert secret == reading | (declared if job.id.startswith("image-") else set()), job.id
        for step in job.steps:
            if any(SECRET.search(str(value)) for value in step.env.values()):
                assert isinstance(step, Script)
                assert step.script.startswith("unmoor ")


@pytest.mark.parametrize(
    ("kind", "job", "permissions", "environment"),
    [
        ("pure", "build", "contents:read", ""),
        ("pure", "test", "contents:read", ""),
        ("pure", "hold", "contents:write id-token:write attestations:write", "testpypi"),
        ("pure", "prove", "", ""),
        ("pure", "publish", "contents:write id-token:write attestations:write", "pypi"),
        ("pure", "verify", "", ""),
        ("plain", "hold", "contents:write", ""),
        ("plain", "publish", "contents:write id-token:write", "pypi"),
        ("stored tokens", "hold", "contents:write id-token:write attestations:write", "testpypi"),
        ("compiled", "wheels-windows", "contents:read", ""),
        ("compiled", "merge", "contents:read", ""),
        ("images", "image-linux-arm64", "contents:read", ""),
        ("images", "hold", "contents:write id-token:write attestations:write packages:write", "testpypi"),
        ("images elsewhere", "hold", "contents:write id-token:write attestations:write", "pypi"),
        ("private", "build", "contents:read", ""),
        ("private", "prove", "contents:read actions:read", ""),
        ("private", "hold", "contents:write id-token:write packages:write actions:read", "testpypi"),
        ("private", "verify", "contents:read packages:read", ""),
        ("private, signed", "publish", "contents:write id-token:write attestations:write actions:read", "pypi"),
        ("private, signed", "verify", "contents:read", ""),
        ("deployed", "docs", "contents:read", ""),
        ("deployed", "check-service", "contents:read", ""),
        ("deployed", "deploy-docs", "contents:write", ""),
        ("documented", "deploy-docs", "contents:read", ""),
        ("deployed", "deploy-space", "contents:read", ""),
        ("deployed", "deploy-service-web", "contents:read packages:read", ""),
        ("deployed", "announce", "contents:write", ""),
    ],
)
def test_a_job_has_only_the_permissions_that_the_project_needs(
    kind: str, job: str, permissions: str, environment: str
) -> None:
    """Images, signatures and trusted publishing each bring their permission; each says what it is for."""
    found = jobs_of(SAMPLES[kind])[job]
    assert " ".join(f"{each.scope}:{each.access}" for each in found.permissions) == permissions
    assert all(each.why for each in found.permissions)
    assert found.environment == environment


@pytest.mark.parametrize(
    ("kind", "job", "expected"),
    [
        ("pure", "hold", ""),
        ("pure", "publish", ""),
        ("stored tokens", "hold", "UNMOOR_TESTPYPI_PASSWORD"),
        ("stored tokens", "publish", "UNMOOR_PYPI_PASSWORD"),
        (
            "images",
            "publish",
            (
                "UNMOOR_REGISTRY_DOCKER_IO_USERNAME UNMOOR_REGISTRY_DOCKER_IO_PASSWORD"
                " UNMOOR_REGISTRY_REGISTRY_EXAMPLE_5000_USERNAME UNMOOR_REGISTRY_REGISTRY_EXAMPLE_5000_PASSWORD"
            ),
        ),
        ("images elsewhere", "hold", "UNMOOR_REGISTRY_QUAY_IO_USERNAME UNMOOR_REGISTRY_QUAY_IO_PASSWORD"),
        ("an image", "hold", ""),
        ("deployed", "hold", ""),
        ("deployed", "publish", ""),
        ("deployed", "check-space", "HF_TOKEN"),
        ("deployed", "check-service", ""),
        ("deployed", "check-announce", "CHAT_URL"),
        ("deployed", "deploy-docs", "READTHEDOCS_TOKEN"),
        ("deployed", "deploy-space", "HF_TOKEN"),
        ("deployed", "deploy-service-web", ""),
        ("documented", "announce", "MAIL_URL"),
        ("images", "image-linux-amd64", "BASE_PASSWORD"),
    ],
)
def test_a_secret_has_the_name_of_the_variable(kind: str, job: str, expected: str) -> None:
    """Each registry but GitHub's has a login, and each index that does not trust the workflow has a token."""
    step = next(each for each in scripts(jobs_of(SAMPLES[kind])[job]) if each.id == "unmoor")
    secrets = {name for name, value in step.env.items() if value == f"${{{{ secrets.{name} }}}}"}
    assert secrets == set(expected.split())
    assert secrets == {name for name, value in step.env.items() if "secrets." in str(value)}


@pytest.mark.parametrize(
    ("kind", "job", "command"),
    [
        ("pure", "build", "--dry-run --until check-dists"),
        ("pure", "test", '--dry-run --until prove-dists --manifest-sha256 "$BUILT"'),
        (
            "pure",
            "hold",
            (
                '--hold --until testpypi --no-project-code --manifest-sha256 "$BUILT" --manifest-sha256 "$TESTED"'
                ' ${REBUILT:+--manifest-sha256 "$REBUILT"}'
            ),
        ),
        ("pure", "prove", '--until prove-testpypi --manifest-sha256 "$HELD"'),
        (
            "pure",
            "publish",
            '--no-project-code --manifest-sha256 "$HELD" ${PROVED:+--manifest-sha256 "$PROVED"}',
        ),
        ("plain", "hold", '--hold --no-project-code --manifest-sha256 "$BUILT" --manifest-sha256 "$TESTED"'),
        ("plain", "publish", '--no-project-code --manifest-sha256 "$HELD"'),
        ("compiled", "build", "--dry-run --until check-dists"),
        ("compiled", "wheels-macos", "--dry-run --until check-dists --built wheelhouse"),
        (
            "compiled with images",
            "merge",
            (
                '--dry-run --until prove-dists --no-project-code --dists "handed/built/$TAG"'
                ' --dists "handed/wheels-linux/$TAG" --dists "handed/wheels-windows/$TAG" --manifest-sha256 "$BUILT"'
                ' --manifest-sha256 "$TESTED" ${REBUILT:+--manifest-sha256 "$REBUILT"}'
                ' --manifest-sha256 "$WHEELS_LINUX" --manifest-sha256 "$TESTED_WHEELS_LINUX"'
                ' ${REBUILT_WHEELS_LINUX:+--manifest-sha256 "$REBUILT_WHEELS_LINUX"}'
                ' --manifest-sha256 "$WHEELS_WINDOWS" --manifest-sha256 "$TESTED_WHEELS_WINDOWS"'
                ' ${REBUILT_WHEELS_WINDOWS:+--manifest-sha256 "$REBUILT_WHEELS_WINDOWS"}'
            ),
        ),
        (
            "compiled with images",
            "image-linux-arm64",
            '--dry-run --until prove-images --platform linux/arm64 --keep-images --manifest-sha256 "$MERGED"',
        ),
        (
            "compiled with images",
            "hold",
            (
                "--hold --until testpypi --until registry --until sign-images --no-project-code"
                ' --leg "handed/image-linux-amd64/$TAG" --leg "handed/image-linux-arm64/$TAG"'
                ' --manifest-sha256 "$MERGED"'
                ' --manifest-sha256 "$IMAGE_LINUX_AMD64" --manifest-sha256 "$IMAGE_LINUX_ARM64"'
            ),
        ),
        (
            "private",
            "hold",
            (
                "--hold --until testpypi --until registry --no-project-code"
                ' --leg "handed/image-linux-amd64/$TAG" --manifest-sha256 "$BUILT" --manifest-sha256 "$TESTED"'
                ' ${REBUILT:+--manifest-sha256 "$REBUILT"} --manifest-sha256 "$IMAGE_LINUX_AMD64"'
            ),
        ),
        (
            "images elsewhere",
            "publish",
            '--no-project-code --manifest-sha256 "$HELD" --manifest-sha256 "$HELD_IMAGES"',
        ),
        (
            "a package",
            "merge",
            (
                r'--dry-run --until prove-dists --no-project-code --dists "handed/built/${TAG//\//%2F}"'
                r' --dists "handed/wheels-linux/${TAG//\//%2F}" --manifest-sha256 "$BUILT" --manifest-sha256 "$TESTED"'
                ' ${REBUILT:+--manifest-sha256 "$REBUILT"} --manifest-sha256 "$WHEELS_LINUX"'
                ' --manifest-sha256 "$TESTED_WHEELS_LINUX"'
                ' ${REBUILT_WHEELS_LINUX:+--manifest-sha256 "$REBUILT_WHEELS_LINUX"}'
            ),
        ),
    ],
)
def test_each_job_runs_its_command(kind: str, job: str, command: str) -> None:
    """The stages, the hand-overs and the promise of each job, for the tag of the run."""
    step = next(each for each in scripts(jobs_of(SAMPLES[kind])[job]) if each.id == "unmoor")
    assert step.script.replace("\\\n ", "").split() == f'unmoor release {command} -- "$TAG"'.split()


@EVERY
def test_one_group_for_each_tag_and_no_endless_job(kind: str) -> None:
    """No run of a tag is cancelled, a tag does not wait for another one, and each job ends, after its own deadline."""
    workflow = release_workflow(SAMPLES[kind])
    assert workflow.concurrency is not None
    assert "github.ref_name" in workflow.concurrency.group
    assert workflow.concurrency.queue
    assert not workflow.concurrency.cancel
    for job in jobs_of(SAMPLES[kind]).values():
        assert 0 < job.minutes <= 360
        assert job.minutes * 60 > SAMPLES[kind].settings.deadline or job.id == "verify" or job.minutes == 360


@EVERY
def test_nothing_is_cached(kind: str) -> None:
    """What is released owes nothing to a cache, which a run of another branch may have filled."""
    for job in jobs_of(SAMPLES[kind]).values():
        for step in job.steps:
            if isinstance(step, Uses):
                assert step.action != "actions/cache"
                assert not any("cache" in name and value for name, value in step.inputs.items())
                assert step.action != "docker/setup-qemu-action" or step.inputs["cache-image"] is False


@EVERY
def test_only_a_tag_starts_the_jobs(kind: str) -> None:
    """A tag of the project starts it, and a person on a tag: the first job is skipped for a branch, and so are all."""
    facts = SAMPLES[kind]
    workflow = release_workflow(facts)
    assert workflow.on["push"] == {"tags": list(facts.tags)}
    dispatch = workflow.on["workflow_dispatch"]
    assert isinstance(dispatch, dict)
    assert list(dispatch["inputs"]) == ["emergency", "reason", "waive", "debug"]
    first, *others = jobs_of(facts).values()
    assert first.only_if == "github.ref_type == 'tag'"
    assert all(job.needs for job in others)
    # Whoever wants to hear of failures does so whatever became of the other jobs, but for a tag alone.
    conditions = {job.only_if for job in others if job.only_if}
    assert conditions <= {"!cancelled() && github.ref_type == 'tag'"}
    assert bool(conditions) is (kind == "deployed")


@EVERY
def test_an_emergency_reaches_the_command_through_variables(kind: str) -> None:
    """Each variable is empty unless somebody asked for an emergency, whatever else is filled in."""
    env = release_workflow(SAMPLES[kind]).env
    assert env["TAG"] == "${{ github.ref_name }}"
    for name in ("UNMOOR_EMERGENCY", "UNMOOR_WAIVE", "UNMOOR_CONFIRM"):
        assert re.fullmatch(r"\$\{\{ inputs\.emergency && .+ \|\| '' \}\}", str(env[name]))
    assert env.get("UNMOOR_PATH", "") == SAMPLES[kind].path


@pytest.mark.parametrize(
    ("kind", "job", "runner", "emulated"),
    [
        ("images", "image-linux-amd64", "ubuntu-latest", ""),
        ("images", "image-linux-386", "ubuntu-latest", ""),
        ("images", "image-linux-arm64", "ubuntu-24.04-arm", ""),
        ("images", "image-linux-arm-v7", "ubuntu-latest", "linux/arm/v7"),
        ("images", "image-linux-s390x", "ubuntu-latest", "linux/s390x"),
        ("compiled", "wheels-linux", "ubuntu-latest", ""),
        ("compiled", "wheels-linux-arm", "ubuntu-24.04-arm", ""),
        ("compiled", "wheels-macos", "macos-latest", ""),
        ("compiled", "wheels-macos-intel", "macos-15-intel", ""),
        ("compiled", "wheels-windows", "windows-latest", ""),
        ("compiled", "wheels-windows-arm", "windows-11-arm", ""),
    ],
)
def test_each_platform_has_its_runner(kind: str, job: str, runner: str, emulated: str) -> None:
    """A runner of the platform if there is one, else QEMU."""
    found = jobs_of(SAMPLES[kind])[job]
    assert found.runs_on == runner
    assert [each.inputs["platforms"] for each in uses(found, "docker/setup-qemu-action")] == list(
        filter(None, [emulated])
    )


@pytest.mark.parametrize("platform", ["windows/amd64", "linux/sparc64", "darwin/arm64", "wasi/wasm"])
def test_a_platform_without_runner_is_refused(platform: str) -> None:
    """The error names the platform and the setting, and no file is written that could not work."""
    with pytest.raises(ConfigError) as caught:
        release_workflow(replace(SAMPLES["an image"], platforms=("linux/amd64", platform)))
    assert platform in caught.value.what
    assert "platforms" in caught.value.where


@pytest.mark.parametrize(
    ("settings", "path", "file"),
    [
        (Settings(), "", "release.yml"),
        (Settings(), "packages/small", "release-acme-small.yml"),
        (Settings(release_workflow=".github/workflows/publish.yaml"), "", "publish.yaml"),
        (Settings(release_workflow=".github/workflows/publish.yml"), "packages/small", "publish.yml"),
        (Settings(release_workflow="acme/ci/.github/workflows/publish.yml"), "", "release.yml"),
    ],
)
def test_the_file_is_the_publisher_that_indexes_know(settings: Settings, path: str, file: str) -> None:
    """Each package of a repository has a file of its own, unless the settings name one in this repository."""
    facts = WorkflowFacts(settings=settings, project="Acme.Small", path=path)
    assert release_file(facts) == release_workflow(facts).file == file


@pytest.mark.parametrize("file", ["ci.yml", "tests.yml", "build.yml", "security.yml"])
def test_the_release_has_a_file_of_its_own(file: str) -> None:
    """An index trusts every job of a file, so those of pull requests are never in that of the release."""
    settings = Settings(release_workflow=f".github/workflows/{file}")
    with pytest.raises(ConfigError, match=file) as caught:
        release_file(WorkflowFacts(settings=settings, project="demo"))
    assert "release-workflow" in caught.value.where


@pytest.mark.parametrize(
    ("pythons", "settings", "job", "expected"),
    [
        (("3.11", "3.13"), Settings(), "build", ["3.13"]),
        (("3.8", "3.9"), Settings(), "build", ["3.8", "3.13"]),
        (("3.11", "3.13"), Settings(python="3.12"), "build", ["3.12", "3.13"]),
        (("3.11", "3.13"), Settings(test_pythons=("3.11", "3.14t")), "build", ["3.13"]),
        (("3.11", "3.13"), Settings(test_pythons=("3.11", "3.14t")), "test", ["3.11", "3.14t", "3.13"]),
        (("3.11", "3.13"), Settings(test_pythons=("3.11",)), "prove", ["3.11", "3.13"]),
        (("3.11", "3.13"), Settings(test_pythons=("3.11",)), "publish", ["3.13"]),
    ],
)
def test_a_job_has_the_pythons_of_the_project(
    pythons: tuple[str, ...], settings: Settings, job: str, expected: list[str]
) -> None:
    """What builds has a Python that the project supports, what tests has all of them, and the last one runs unmoor."""
    [step] = uses(
        jobs_of(WorkflowFacts(settings=settings, project="demo", pythons=pythons))[job], "actions/setup-python"
    )
    assert str(step.inputs["python-version"]).split() == expected


@pytest.mark.parametrize(
    ("system", "pythons", "expected"),
    [
        ("linux", ("3.9", "3.13", "3.14"), ["3.9", "3.14", "3.14t", "3.13"]),
        ("windows", ("3.9", "3.13"), ["3.9", "3.13"]),
        ("windows-arm", ("3.9", "3.10", "3.11"), ["3.11", "3.13"]),
    ],
)
def test_a_leg_has_a_python_for_each_wheel(system: System, pythons: tuple[str, ...], expected: list[str]) -> None:
    """By default cibuildwheel builds for every Python, free-threaded ones too, and each wheel needs a proof."""
    facts = WorkflowFacts(settings=Settings(), project="demo", wheels=(system,), pythons=pythons)
    [step] = uses(jobs_of(facts)[f"wheels-{system}"], "actions/setup-python")
    assert str(step.inputs["python-version"]).split() == expected


@pytest.mark.parametrize(
    ("system", "env"),
    [
        ("linux", {"CIBW_ARCHS": "auto64", "CIBW_SKIP": "pp* cp38-* *-musllinux_*"}),
        ("linux-arm", {"CIBW_ARCHS": "auto64", "CIBW_SKIP": "pp* cp38-* *-musllinux_*"}),
        ("macos", {"CIBW_ARCHS": "auto64"}),
        ("windows-arm", {"CIBW_ARCHS": "auto64", "CIBW_SKIP": "pp* cp38-* cp3{8,9,10}-*"}),
        ("windows", {"CIBW_ARCHS": "auto64"}),
    ],
)
def test_a_leg_builds_what_it_can_test(system: str, env: dict[str, str]) -> None:
    """A wheel that the machine cannot install has no proof; what the project itself skips stays skipped."""
    job = jobs_of(SAMPLES["compiled"])[f"wheels-{system}"]
    [build] = [each for each in scripts(job) if " -m cibuildwheel " in each.script]
    [install] = [each for each in scripts(job) if "cibuildwheel.txt" in each.script]
    assert build.env == env
    assert ("Scripts/python" in build.script) is system.startswith("windows")
    assert "--require-hashes --no-deps" in install.script


def test_each_deployment_is_a_job_without_code_of_the_project() -> None:
    """The jobs that release leave the checks of deployments to others, and stop at what everyone can see."""
    jobs = jobs_of(SAMPLES["deployed"])
    left = "--skip space --skip service --skip announce --no-project-code"
    assert f"--until sign-images {left}" in scripts(jobs["hold"])[-1].script
    assert f"unmoor release --until verify {left}" in scripts(jobs["publish"])[-1].script
    assert (
        "unmoor release --until check-service --skip images --no-project-code"
        in scripts(jobs["check-service"])[-1].script
    )
    assert jobs["check-service"].runs_on == jobs["deploy-service-web"].runs_on == "self-hosted"
    assert scripts(jobs["deploy-docs"])[-2].script.startswith("git config --global ")
    assert jobs["announce"].only_if.startswith("!cancelled()")
    assert jobs_of(SAMPLES["documented"])["announce"].only_if == ""
