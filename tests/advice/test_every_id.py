"""Every id of the catalogue has a walk, or a reason why it cannot be walked on a small project."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

from tests.support.advice_walks import Walk, ids_of

from unmoor import advice

HERE = Path(__file__).parent
WALKED = tuple(path.stem for path in sorted(HERE.glob("test_*.py")) if path.stem != Path(__file__).stem)

REASONS: Mapping[str, str] = {
    "the renderer says it: tests/test_errors.py has every form": "run-again wait",
    "a container has to run for long, or print more than fits, which needs an engine: tests/adapters/engine": """
        allow-command-more-time
        print-less
        """,
    "cmd.exe runs batch files on Windows only: tests/adapters/process/test_batch_files.py": "avoid-batch-file",
    "a release has to break under faults, or before any: tests/journeys/test_chaos.py": """
        list-faults
        rehearse-without-chaos
        replay-round
        """,
    "a forge has to refuse a branch: tests/adapters/forge/test_branch_files.py": """
        allow-metrics-branch
        name-other-branch
        """,
    "a file system has to lack links or names of some kind: tests/adapters/git/test_clone.py": """
        allow-links
        rename-for-all-systems
        """,
    "a registry has to lose a tag while another one is deleted": "push-images-again",
    "no command tries what a written workflow would do: tests/workflows/test_release.py": """
        name-hosted-platforms
        name-release-file
        """,
    "following it is a whole release, over one that is there in part: tests/journeys/test_undo.py, test_kill.py": """
        begin-again
        build-files
        finish-release
        next-version-if-deleted
        on-machine-with-engine
        release-it
        remove-rest-by-hand
        """,
    "a deployment has to be looked for, in tests/cli/test_deploy_run.py": """
        configure-deployment
        deploy-it
        describe-deployment
        release-with-deployment
        """,
    "two runs, a slow forge or another world are needed: tests/deploy/announce, tests/adapters/announce": """
        add-announce-to-world
        announce-again
        correct-announce-address
        install-announce
        name-announce-targets
        see-notes
        shorten-addresses
        shorten-notes
        """,
    "releases have to drift: tests/cli/test_watch_run.py, tests/publish/drift/test_project.py": """
        release-from-workflow
        unyank
        """,
    "figures of many runs are needed: tests/cli/test_metrics_check.py, tests/adapters/forge/test_issues.py": """
        allow-issues
        correct-figures
        """,
    "the token of a job has to lack a right: tests/adapters/forge/test_run_history.py": "allow-reading-actions",
    "artifacts need runs of workflows: tests/cli/test_clean_leftovers.py": "allow-cleaning",
    "a comment needs a report and a pull request: tests/cli/test_bench_comment.py": "allow-comments name-commented",
    "uv resolves and the tests of a project run, against a local index: tests/cli/test_deps.py": """
        commit-lock
        leave-security-out
        lock-with-uv
        make-new-result
        make-tests-pass
        name-locked-package
        resolve-upgrade
        set-test-command
        update-workspace
        """,
    "benchmarks have to be measured on two commits: tests/cli/test_bench_run.py": """
        allow-bench-more-time
        compare-with-later-base
        configure-bench
        correct-benchmarks
        make-it-faster
        name-bench-base
        name-bench-report
        """,
    "somebody has to end the servers of a world from outside": "start-world-again",
    "tests/journeys/test_advised.py follows it in rehearsals": "commit-changes",
    "a folder has to belong to another user, whom only root can make its owner": "take-ownership",
    "a signature, an identity or a service of Sigstore has to be wrong: tests/adapters/sigstore, publish, stages": """
        check-signing-identity
        check-trust-config
        check-trusted-root
        describe-signing
        fetch-signature-again
        fix-attestations
        give-forge-root
        grant-attestations
        name-release-workflow
        publish-by-trusted-publishing
        reject-signature
        run-on-tag
        set-clock
        sign-in-actions
        vouch-without-signature
        """,
    "a wheel has to be for a platform that uv does not know: tests/stages/test_sbom.py": "allow-missing-sboms",
    "a key has to be missing, locked or broken: tests/adapters/keys, tests/stages/test_sign_sums.py": """
        check-signing-key
        provide-signing-key
        unlock-gpg-key
        unlock-ssh-key
        write-public-key
        """,
    "an image of a branch has to be built or pushed: tests/cli/test_push_rules.py, tests/stages/test_commit.py": """
        check-out-run-commit
        configure-image
        give-development-version
        push-branch-first
        push-from-branch
        release-tag-instead
        """,
    "another system than Linux has to run it: tests/adapters/engine, tests/stages": "release-images-on-linux",
    "a person has to release in an emergency: tests/cli/test_emergency.py": """
        check-version
        confirm-version
        end-other-runs
        waive-run-check
        """,
    "a release has to be cut: tests/scaffold/cut follows them with real remotes": """
        add-remote-to-push
        allow-actions
        allow-pull-requests
        allow-push
        check-out-branch
        confirm-cut
        correct-and-commit
        correct-bump-table
        delete-release-branch
        make-commit-pass
        make-tag-signable
        merge-request
        name-another-version
        name-merged-version
        pass-checks
        pull-branch
        push-branch
        push-by-hand
        see-actions
        shorten-message
        update-lock
        """,
    "a proxy or a container of a service has to be wrong: tests/deploy/service, tests/adapters/proxy": """
        add-health-check
        allow-proxy-socket
        check-proxy-socket
        correct-state-file
        describe-proxy
        free-port
        name-service-image
        print-proxy-config
        read-container-log
        start-proxy
        """,
    "documentation has to be built or deployed: tests/deploy/docs, tests/stages/test_build_docs.py, test_docs.py": """
        allow-docs-push
        check-readthedocs-build
        connect-readthedocs
        correct-docs
        deploy-default-branch
        give-readthedocs-token
        import-installed
        name-docs-branch
        name-docs-folder
        name-docs-needs
        name-docs-source
        revert-docs-by-hand
        wait-for-readthedocs
        """,
    "it is a bug": "report-bug report-it report-with-traceback",
    "a linter has to fail, or tests have to be measured again: tests/checks/test_linters.py, test_coverage.py": """
        update-program
        write-coverage-report
        """,
    "tests/cli/test_check_run.py follows them": """
        correct-checked
        let-check-read
        let-checks-answer
        name-check
        """,
    "tests/cli/test_workflows_write.py and test_workflows_check.py follow them": """
        correct-workflow
        give-tool-list
        name-workflow-file
        place-job
        remove-twin-workflow
        replace-workflow
        resolve-anchors
        write-workflows
        """,
    "a place for a file has to be taken: tests/scaffold/test_file_changes.py": "correct-path correct-place",
    "tests/cli/test_init_run.py follows them": """
        add-by-hand
        commit-or-stash
        give-version
        make-first-commit
        remove-publish-jobs
        """,
    "a person changes it in the settings of the forge or of an index: tests/checks/access": """
        look-at-publishers
        look-at-secret
        make-releases-immutable
        protect
        restrict-workflows
        set-up-environment
        """,
    "the jobs of a workflow follow it: tests/journeys/test_job_chain.py": "hand-over-from-job",
    "a Space or its hub has to be in that state: tests/deploy/space, adapters/hub, stages": """
        create-space
        install-space-extra
        roll-space-back
        """,
    "a newer unmoor has to have written the document": "use-version-that-wrote-it",
}
"""Why an id has no walk. A sentence here is no excuse for advice that can be followed in a second."""


def walks() -> Iterator[tuple[str, Walk]]:
    """Every walk, with the id of the advice that it follows."""
    for name in WALKED:
        rows: Mapping[str, Walk] = importlib.import_module(f"tests.advice.{name}").WALKS
        yield from ((one, each) for row, each in rows.items() for one in sorted(ids_of(row)))


def walked() -> set[str]:
    """Every id with a walk."""
    return {name for name, _ in walks()}


def test_every_id_is_walked_or_has_a_reason() -> None:
    """New advice needs a row in one of the tables here, so that somebody follows it once."""
    reasons = [each for ids in REASONS.values() for each in ids.split()]
    ids = {entry.id for entry in advice.catalogue()}
    assert ids - walked() - set(reasons) == set()
    assert set(reasons) - ids == set()
    assert set(reasons) & walked() == set()
    assert len(reasons) == len(set(reasons))


def test_every_walk_has_an_id() -> None:
    """A row for an id that is gone would follow nothing."""
    assert walked() - {entry.id for entry in advice.catalogue()} == set()


def test_no_advice_leads_in_a_circle() -> None:
    """Where a walk ends in another error, following the advice of that never leads back to the first."""
    onward: dict[str, set[str]] = {}
    for name, each in walks():
        onward.setdefault(name, set()).update({each.then} - {""})
    assert list(TopologicalSorter(onward).static_order())
    assert {then for each in onward.values() for then in each} - {entry.id for entry in advice.catalogue()} == set()
