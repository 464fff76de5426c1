"""Every id of the catalogue has a walk, or a reason why it cannot be walked on a small project."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from tests.support.advice_walks import Walk

from unmoor import advice

WALKED = ("files", "image_tags", "notes", "runs", "settings", "tags")

REASONS: Mapping[str, str] = {
    "the renderer says it: tests/test_errors.py has every form": "run-again wait",
    "it needs a container engine, with images or a fault of its own": """
        add-registry-to-world
        build-every-platform
        build-leg-again
        build-leg-there
        build-platform-elsewhere
        check-docker-save
        check-engine
        check-engine-log
        check-image-is-pushed
        check-image-login
        check-the-builder
        check-what-registry-accepts
        commit-dockerfile
        correct-dockerfile
        delete-commit-tag
        find-who-changed-archive
        free-engine-space
        hand-over-archive
        install-buildx
        install-engine
        install-paramiko
        join-engine-group
        leave-out-images
        log-in-to-base-registry
        name-a-platform
        name-image-to-clean
        name-images-apart
        name-the-image
        one-leg-per-platform
        pass-as-secret
        pass-files
        pass-own-legs
        print-less
        pull-base-image
        push-images-again
        remove-image-and-record
        set-secrets
        shorten-arg
        shrink-context
        shrink-image
        use-buildx
        """,
    "another server answers so: its operator, or its page on the web, has the remedy": """
        add-publisher
        add-publisher-to-project
        allow-deletion
        allow-packages
        allow-writing
        ask-for-audience
        ask-for-higher-limit
        ask-project-owner
        ask-registry-operator
        ask-server-operator
        ask-to-lift-quarantine
        check-credential
        check-download-rights
        check-forge-address
        check-index-by-hand
        check-is-registry
        check-network
        check-on-index
        check-package-writers
        check-registry-tokens
        check-release-by-hand
        check-repository-name
        check-status-page
        check-trust-in-ci
        check-what-is-served
        check-what-registry-serves
        choose-another-name
        compare-by-hand
        compare-issuer
        correct-address
        correct-address-or-use-token
        correct-or-use-token
        correct-publisher-name
        correct-registry-login
        correct-upload-address
        find-what-is-between
        fix-what-index-names
        fix-what-server-names
        give-credential
        give-uv-a-login
        log-in-or-publish
        match-publisher
        open-address
        reject-changed-file
        renew-forge-token
        see-registry-page
        set-package-writers
        set-repository
        set-up-two-factors
        set-uploads
        shorten-list
        switch-trusted-publishing-off
        unarchive-project
        unarchive-repository
        use-https
        use-index-with-hashes
        use-token-of-project
        verify-address
        wait-for-index
        wait-for-trusted-publishing
        """,
    "it needs a job of a CI, with permissions and ID tokens": """
        check-id-token-settings
        give-id-tokens
        grant-id-tokens
        keep-one-credential
        release-from-ci
        sign-in-actions
        start-another-job
        start-job-for-token
        """,
    "it needs a login for a surface, which a test has only for the local world": """
        give-forge-token
        give-index-login
        give-registry-login
        log-in-to-forge
        """,
    "the surfaces hold something else: tests/stages and tests/journeys release into such a world": """
        attach-file
        attach-right-file
        compare-draft
        continue-with-first-files
        continue-with-those
        delete-draft
        delete-other-draft
        delete-release-by-hand
        finish-release
        fix-positions
        keep-one-release
        look-at-pages
        pass-sha256-of-manifest
        pass-sha256-or-next-version
        put-file-back
        release-it
        release-it-again
        release-new-version
        remove-rest-by-hand
        use-former-version
        vouch-or-next-version
        """,
    "somebody else changes a surface or a folder during the run, and only they know why": """
        find-other-pusher
        find-other-run
        find-who-changed-draft
        find-who-changed-release
        find-who-deleted-draft
        find-who-moved-version
        find-who-published
        find-who-pushed
        find-who-pushed-version
        find-who-removed
        find-who-removed-file
        find-who-uploaded
        find-who-uploaded-others
        remove-run-folder
        start-world-again
        """,
    "a build or a test of a project meets it: tests/dists, tests/stages and tests/journeys run some": """
        allow-more-time
        allow-tests-more-time
        build-as-release
        build-at-tag
        build-from-commit
        build-in-fresh-clone
        build-missing-format
        build-wheels-for-all
        build-wheels-too
        complete-sdist
        copy-folder
        correct-backend
        correct-build-requirements
        correct-code
        correct-dependencies
        correct-metadata
        correct-project
        correct-pytest-options
        correct-pytest-start
        correct-test-sources
        correct-warning
        declare-dependency
        exclude-from-sdist
        fix-what-pip-reports
        fix-what-uv-reports
        hand-over-every-file
        include-modules
        install-for-tests
        install-more-for-tests
        install-pytest-plugins
        install-pythons
        leave-file-out
        leave-module-out
        leave-one-release
        list-test-program
        mark-optional
        name-test-needs
        pass-other-files
        prove-elsewhere
        raise-deadline
        release-corrected
        remove-other-files
        remove-source-from-tests
        replace-sdist-link
        replace-version-link
        say-where-it-runs
        see-failed-tests
        set-built-version
        set-test-requires
        start-with-current-files
        """,
    "tests/journeys/test_advised.py follows it in rehearsals": "commit-changes turn-tests-off",
    "it needs git with another program, another user, or a repository of an unusual kind": """
        check-commit-time
        check-objects
        check-remote
        check-remote-tags
        check-submodule
        complete-clone
        export-keys
        fetch-annotated-tag
        fetch-default-branch
        fix-what-git-reports
        install-git-lfs
        move-checkout
        pull-lfs-files
        push-lfs-files
        remove-folder
        shorten-git-output
        shrink-file
        sign-a-tag
        take-ownership
        trust-repository
        """,
    "this machine lacks something that a test cannot take away": """
        check-program
        check-uv
        close-connections
        free-memory
        free-space
        free-space-for-traceback
        grant-permission
        install-unmoor-again
        see-log
        set-clock
        stop-other-world
        use-more-memory
        """,
    "it takes seconds or much text to bring about": "avoid-nested-repetition check-docutils shorten-fragment",
    "a signature, or a server or file of Sigstore, is not as it should be: tests/adapters/sigstore": """
        check-signing-identity
        check-trust-config
        fetch-signature-again
        reject-signature
        """,
    "it is a bug, or an older or newer unmoor": "report-bug report-it report-with-traceback use-version-that-wrote-it",
    "the command line asks the engine or the forge first": "name-pull-request name-repository name-valid-tag",
}
"""Why an id has no walk. A sentence here is no excuse for advice that can be followed in a second."""


def walked() -> set[str]:
    """Every id with a walk."""
    found: set[str] = set()
    for name in WALKED:
        walks: Mapping[str, Walk] = importlib.import_module(f"tests.advice.test_{name}").WALKS
        found |= {row.partition(" ")[0] for row in walks}
    return found


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
