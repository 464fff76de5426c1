"""The catalogue of advice: every next step that an error can name, with an id that never changes.

An error has a `NextStep`, which only an entry of this list gives: ``advice.PUSH_TAG(tag="v1.2.3")``. Programs read the
id (in JSON and in the journal), people read the text. docs/reference/advice.md lists all of them, and tests/advice
follows each one, so write what can be followed word by word: a command to paste, a setting with its table, or one
action. An entry that fits several errors is one entry, with parameters. Entries never advise to run the same command
again: errors set ``retryable`` for that.

This module is long because it is one list, in the order of the rooms. It imports nothing, for every other module may
import it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self


class NextStep(str):
    """What to do about an error. ``ids`` are those of its entries, in the order of the text.

    ``rehearsed`` is the text for a rehearsal, which never leads to a release; the same text for most entries.
    """

    __slots__ = ("ids", "rehearsed")
    ids: tuple[str, ...]
    rehearsed: str

    def __new__(cls, text: str = "", *ids: str, rehearsed: str = "") -> Self:
        """Only entries and `join` give steps with ids; without any, it is a step of a test."""
        step = super().__new__(cls, text)
        step.ids = ids
        step.rehearsed = rehearsed or text
        return step

    def in_rehearsal(self) -> NextStep:
        """Return the step for an error of a rehearsal."""
        return NextStep(self.rehearsed, *self.ids)

    def then(self, *steps: NextStep) -> NextStep:
        """Return this step, and after it the others, separated by semicolons. Empty steps add nothing."""
        return join((self, *steps))


NOTHING = NextStep()


def join(steps: Iterable[NextStep]) -> NextStep:
    """Return one step for several, in their order. Each counts once, and empty ones add nothing."""
    distinct = [step for step in dict.fromkeys(steps) if step]
    ids = dict.fromkeys(each for step in distinct for each in step.ids)
    return NextStep("; ".join(distinct), *ids, rehearsed="; ".join(step.rehearsed for step in distinct))


class Template:
    """One piece of advice: an id and a text, with the names of its parameters in braces.

    ``rehearsed`` is the text for a rehearsal, if another one is needed: what to change and commit, and no tag.
    """

    __slots__ = ("id", "rehearsed", "text")

    def __init__(self, name: str, text: str, *, rehearsed: str = "") -> None:
        self.id = name
        self.text = text
        self.rehearsed = rehearsed

    def __call__(self, **values: object) -> NextStep:
        """Return the step with these values. Raises `KeyError` if one is missing."""
        return NextStep(self.text.format_map(values), self.id, rehearsed=self.rehearsed.format_map(values))


def catalogue() -> tuple[Template, ...]:
    """Return every entry, in the order of this module."""
    return tuple(each for each in globals().values() if isinstance(each, Template))


RUN_AGAIN = Template("run-again", "run the same command again")
WAIT = Template("wait", "wait {duration}")

# The container engine
CHECK_THE_BUILDER = Template("check-the-builder", "check the builder: docker buildx version")
INSTALL_BUILDX = Template("install-buildx", "install docker-buildx")
USE_BUILDX = Template("use-buildx", "build with Docker's engine and docker-buildx")
COMMIT_DOCKERFILE = Template(
    "commit-dockerfile",
    "commit it and tag that commit, or set dockerfile in [[tool.unmoor.image]] to another file",
    rehearsed="commit it, or set dockerfile in [[tool.unmoor.image]] to another file and commit that",
)
CHECK_ENGINE_LOG = Template("check-engine-log", "check the engine's log")
CHECK_ENGINE = Template("check-engine", "check that the engine runs")
JOIN_ENGINE_GROUP = Template("join-engine-group", "add the user to its group (docker), or use sudo")
INSTALL_PARAMIKO = Template("install-paramiko", "pip install paramiko, or use a local engine")
CORRECT_DOCKERFILE = Template(
    "correct-dockerfile",
    "correct the Dockerfile, or what it runs; then release the next version, or move the tag if nothing of it is"
    " public",
    rehearsed="correct the Dockerfile, or what it runs, and commit that",
)
PULL_BASE_IMAGE = Template("pull-base-image", "see: docker pull {image}")
LOG_IN_TO_BASE_REGISTRY = Template("log-in-to-base-registry", "log in to that registry, which raises its limit")
PRINT_LESS = Template("print-less", "make the command print less")
ALLOW_COMMAND_MORE_TIME = Template(
    "allow-command-more-time",
    "find out why it takes so long, or allow it more time: timeout = SECONDS in [[tool.unmoor.image.smoke]]",
)
ALLOW_MORE_TIME = Template("allow-more-time", "find out why it takes so long, or allow it more time")
CHECK_IMAGE_IS_PUSHED = Template(
    "check-image-is-pushed", "check that the image was pushed, and that nothing deleted it"
)
CHECK_IMAGE_LOGIN = Template("check-image-login", "check that the login has access to it")
CHECK_WHAT_REGISTRY_ACCEPTS = Template("check-what-registry-accepts", "check what the registry accepts")
SHRINK_IMAGE = Template(
    "shrink-image",
    "make it smaller; to find the large layers: docker history",
)
CHECK_DOCKER_SAVE = Template(
    "check-docker-save",
    "check what docker save writes",
)
FREE_ENGINE_SPACE = Template(
    "free-engine-space",
    "free some where the engine keeps its images: docker system prune",
)
INSTALL_ENGINE = Template(
    "install-engine",
    "install Docker (on Debian: apt-get install docker.io) and start it, or set DOCKER_HOST to an engine; podman's"
    " socket also works",
)
RELEASE_IMAGES_ON_LINUX = Template(
    "release-images-on-linux",
    "release it on Linux, such as in the release workflow, which also finishes what another machine has begun",
    rehearsed="rehearse its images on Linux",
)
LEAVE_OUT_IMAGES = Template(
    "leave-out-images",
    "to release without images: --skip images, or optional = true in [[tool.unmoor.image]]",
    rehearsed="to rehearse without images: unmoor rehearse --without-images",
)

# Releases on the forge
SET_UPLOADS = Template("set-uploads", "if that address is right, set 'uploads' of the forge in the world file")
WRITE_REPOSITORY = Template("write-repository", 'set repository = "owner/name" in [tool.unmoor]')
DELETE_RELEASE_BY_HAND = Template("delete-release-by-hand", "delete it by hand, if you really have to")

# git
NAME_FULL_COMMIT = Template("name-full-commit", "name the commit by all its digits")
NAME_A_REMOTE = Template("name-a-remote", "name a remote of the checkout, such as origin, or give its address")
NAME_A_CHECKOUT = Template("name-a-checkout", "name the project's checkout")
MOVE_CHECKOUT = Template("move-checkout", "move the checkout to a folder whose path has no line break")
UNSET_WORKTREE = Template(
    "unset-worktree", "if that is not intended: git config --unset core.worktree; else clone the repository"
)
NAME_A_TAG = Template("name-a-tag", "name a tag such as v1.2.3")
CHECK_COMMIT_TIME = Template("check-commit-time", "check the commit: git log -1 --format=%ct")
ADD_REMOTE = Template("add-remote", "git remote add {remote} ADDRESS")
FETCH_TAGS = Template("fetch-tags", "git fetch --tags")
CHECK_REMOTE_TAGS = Template("check-remote-tags", "check the output of: git ls-remote --tags")
SHRINK_FILE = Template("shrink-file", "make the file smaller, or name another one in the settings")
REMOVE_FOLDER = Template("remove-folder", "remove the folder")
COMPLETE_CLONE = Template(
    "complete-clone", "if it is a partial clone, complete it: git fetch --refetch --no-filter; else clone it again"
)
ALLOW_LINKS = Template(
    "allow-links",
    "let this account make symbolic links (on Windows: turn on Developer Mode in its settings), and put the folder of"
    " temporary files on a file system that has them; or release from Linux or macOS",
)
RENAME_FOR_ALL_SYSTEMS = Template(
    "rename-for-all-systems",
    "give the files short names that differ in more than case, commit that, and tag that commit; or release from Linux",
    rehearsed="give the files short names that differ in more than case, and commit that; or rehearse on Linux",
)
CHECK_OBJECTS = Template(
    "check-objects",
    "check the objects: git fsck; if it is a partial clone, complete it: git fetch --refetch --no-filter",
)
FIX_WHAT_GIT_REPORTS = Template("fix-what-git-reports", "fix what git reports")
TRUST_REPOSITORY = Template("trust-repository", "if you trust it: {command}")
GO_TO_CHECKOUT = Template("go-to-checkout", "change to the checkout of the project, or clone it first")
SHORTEN_GIT_OUTPUT = Template(
    "shorten-git-output", "find out what makes it so long, for example hundreds of thousands of tags or files"
)
CHECK_REMOTE = Template("check-remote", "check that the remote is reachable")
FETCH_DEFAULT_BRANCH = Template(
    "fetch-default-branch", "git fetch origin; in GitHub Actions: actions/checkout with fetch-depth: 0"
)
SIGN_A_TAG = Template(
    "sign-a-tag",
    "let one of them tag a new version: git tag -s -m TAG TAG; only if {tag} was never released, delete it and sign it"
    " again",
)
EXPORT_KEYS = Template("export-keys", "export them with: gpg --armor --export")
PUSH_LFS_FILES = Template(
    "push-lfs-files",
    "make sure that the remote has them: git lfs push --all origin; or fetch them into the checkout first: git lfs"
    " pull",
)
INSTALL_GIT_LFS = Template("install-git-lfs", "install it, for example: apt-get install git-lfs")
CHECK_SUBMODULE = Template(
    "check-submodule",
    "check that its address is readable from here: git submodule update --init --recursive; git accepts a path on this"
    " machine only with: git config --global protocol.file.allow always",
)
FETCH_ANNOTATED_TAG = Template(
    "fetch-annotated-tag",
    "git fetch --force origin refs/tags/{tag}:refs/tags/{tag}",
)

# The forge's API
CHECK_FORGE_ADDRESS = Template("check-forge-address", "check the address of the forge's API, and any proxy")
RENEW_FORGE_TOKEN = Template(
    "renew-forge-token", "give a token that is valid now in GITHUB_TOKEN or GH_TOKEN, or in the world file"
)
CHECK_REPOSITORY_NAME = Template(
    "check-repository-name",
    "check the repository's name, in the settings and in the git remote; a private one is visible only to a token"
    " with access",
)
ALLOW_CLEANING = Template("allow-cleaning", "give a token that may delete artifacts and caches (GH_TOKEN)")
SHORTEN_LIST = Template("shorten-list", "check the list of {what}; delete what nobody needs")

# Addresses and downloads
CHECK_DOWNLOAD_RIGHTS = Template(
    "check-download-rights", "check the rights of the credential, and whether the address is public"
)
OPEN_ADDRESS = Template(
    "open-address", "open that address in a browser: a proxy or a login page may answer instead of the server"
)
REJECT_CHANGED_FILE = Template("reject-changed-file", "do not use it; find out who changed the file on the server")
CHECK_WHAT_IS_SERVED = Template(
    "check-what-is-served", "check what that address serves: it cannot be the requested file or page"
)
CORRECT_ADDRESS = Template("correct-address", "correct the address in the world file, or ask the server's operator")
ASK_SERVER_OPERATOR = Template(
    "ask-server-operator", "ask the server's operator: unmoor does not follow such an address"
)

# Signatures

SIGN_IN_ACTIONS = Template(
    "sign-in-actions",
    "release from a job of GitHub Actions with 'permissions: id-token: write': a signature names its workflow",
)
RUN_ON_TAG = Template(
    "run-on-tag",
    "start the workflow on the tag itself: by pushing it, or by hand with the tag as its ref",
)
DESCRIBE_SIGNING = Template(
    "describe-signing",
    'add a table [signing] to the world file, or set attestations = "auto" in [tool.unmoor]',
)
FIX_ATTESTATIONS = Template(
    "fix-attestations",
    "compare the workflow file with the trusted publisher on the index, or upload without attestations, for good: set"
    " UNMOOR_ATTESTATIONS=off",
)
PUBLISH_BY_TRUSTED_PUBLISHING = Template(
    "publish-by-trusted-publishing",
    "upload to {index} by trusted publishing, from a job of the workflow file that is registered there, or set"
    ' attestations = "auto" in [tool.unmoor]',
)
SET_CLOCK = Template("set-clock", "set this machine's clock")
CHECK_SIGNING_IDENTITY = Template(
    "check-signing-identity",
    "compare issuer and audience of this job's ID token, and this machine's clock, with what that Sigstore accepts",
)
CHECK_TRUST_CONFIG = Template(
    "check-trust-config",
    "check that the file is the client trust config of the Sigstore in use (JSON with trustedRoot and signingConfig)",
)
CHECK_TRUSTED_ROOT = Template(
    "check-trusted-root",
    "name a file with a trusted root, a client trust config, or the JSON lines of `gh attestation trusted-root`",
)
GIVE_FORGE_ROOT = Template("give-forge-root", "{command}, then add --trust-root roots.jsonl")
FETCH_SIGNATURE_AGAIN = Template(
    "fetch-signature-again", "get the signature again from where the file comes from; if it is the same, do not use it"
)
VOUCH_WITHOUT_SIGNATURE = Template(
    "vouch-without-signature",
    "or continue without a look at signatures: pass the sha256 that the run which made the document printed as its last"
    " lines (--manifest-sha256 HEX), or set UNMOOR_ATTESTATIONS=off",
)
NAME_RELEASE_WORKFLOW = Template(
    "name-release-workflow",
    "name the one that does: {choices}; for later releases, set release-workflow in [tool.unmoor]",
)
REJECT_SIGNATURE = Template(
    "reject-signature", "do not use what it signs; find out who made the signature, and who changed the file"
)

# Indexes and their logins
USE_INDEX_WITH_HASHES = Template(
    "use-index-with-hashes", "use an index that gives hashes: without them a download cannot be checked"
)
CHECK_STATUS_PAGE = Template("check-status-page", "check the {whose}'s status page")
CHECK_CREDENTIAL = Template("check-credential", "check the rights of the credential ({origin})")
REMOVE_RUN_FOLDER = Template("remove-run-folder", "find out what changed it, and remove the run folder (.unmoor/TAG)")
CORRECT_METADATA = Template(
    "correct-metadata",
    "correct the project's metadata, and release it under a new version",
    rehearsed="correct the project's metadata, and commit that",
)
RELEASE_FROM_CI = Template(
    "release-from-ci",
    "release from a job of a CI that the index trusts, or set an API token and"
    ' trusted-publishing = "auto" under [tool.unmoor]',
)
CHECK_ID_TOKEN_SETTINGS = Template("check-id-token-settings", "check the CI's ID token settings")
COMPARE_ISSUER = Template(
    "compare-issuer", "compare issuer and audience above, and this machine's clock, with what the index expects"
)
CORRECT_UPLOAD_ADDRESS = Template("correct-upload-address", "correct the upload address in the world file")
CORRECT_ADDRESS_OR_USE_TOKEN = Template(
    "correct-address-or-use-token",
    "correct the upload address in the world file, or set an API token and"
    ' trusted-publishing = "never" under [tool.unmoor]',
)
ASK_FOR_AUDIENCE = Template("ask-for-audience", "ask the index's operator for an audience of its own")
SWITCH_TRUSTED_PUBLISHING_OFF = Template(
    "switch-trusted-publishing-off",
    'set an API token, and trusted-publishing = "never" under [tool.unmoor], or in the table of this index in the world'
    " file",
)
KEEP_ONE_CREDENTIAL = Template(
    "keep-one-credential", 'remove that one, or use it: set trusted-publishing = "auto" or "never" under [tool.unmoor]'
)
START_ANOTHER_JOB = Template(
    "start-another-job", "start the job again: it continues where this one stopped, with a new ID token"
)
GRANT_ID_TOKENS = Template(
    "grant-id-tokens",
    "give the job 'permissions: id-token: write' (and 'contents: write' if it needs that: a list of permissions"
    " replaces all defaults); a run for a pull request from a fork never gets it",
)
GRANT_ATTESTATIONS = Template(
    "grant-attestations",
    "to store it, add 'attestations: write' to the job's permissions, next to 'contents: write' and 'id-token: write'",
)
GIVE_ID_TOKENS = Template(
    "give-id-tokens",
    "give the job 'id_tokens:' with PYPI_ID_TOKEN, TESTPYPI_ID_TOKEN, or <AUDIENCE>_ID_TOKEN for another index",
)
STORE_AGAIN = Template("store-again", "store it again, without a line break at its end")
SET_TOKEN_USERNAME = Template(
    "set-token-username",
    "set the user name to {username} and the password to an API token",
)
MAKE_TOKEN = Template(
    "make-token",
    "make a new token on {index}, and store all of it",
)
MAKE_API_TOKEN = Template("make-api-token", "make an API token on {index}, and store all of it")
MAKE_TOKEN_OF_INDEX = Template(
    "make-token-of-index",
    "make a token on {index}, and store it under this index's own name: no index accepts another's",
)
MAKE_TOKEN_OF_PROJECT = Template(
    "make-token-of-project",
    "make a token for {project} on {index}; for a project that does not exist yet, one for the whole account, or a"
    " pending trusted publisher (PyPI's expire after 30 days)",
)
CHECK_CLOCK = Template(
    "check-clock",
    "check that this machine's clock is right",
)
ADD_PUBLISHER = Template(
    "add-publisher",
    "the trusted publisher belongs to another project: add one under this project's 'Publishing' on {index}",
)
USE_TOKEN_OF_PROJECT = Template(
    "use-token-of-project",
    "use a token of this project on {index}, or one of the whole account for a project that does not exist yet",
)
VERIFY_ADDRESS = Template(
    "verify-address",
    "verify the account's primary e-mail address on {index}",
)
SET_UP_TWO_FACTORS = Template(
    "set-up-two-factors",
    "set up two-factor authentication on {index}, for the account of the token",
)
ASK_PROJECT_OWNER = Template(
    "ask-project-owner",
    "the project belongs to somebody else on {index}, or is archived there: see its page, and ask its owner",
)
CHECK_ON_INDEX = Template(
    "check-on-index",
    "check on {index} that the credential is valid, for this index, and for this project",
)
WAIT_FOR_TRUSTED_PUBLISHING = Template(
    "wait-for-trusted-publishing",
    "wait until the status page of {index} says that it is back, or set an API token and"
    ' trusted-publishing = "never" under [tool.unmoor]',
)
CHECK_TRUST_IN_CI = Template(
    "check-trust-in-ci",
    "check that {index} trusts this CI: GitHub Enterprise Server and self-hosted GitLab have their own issuers,"
    ' which the index must know; or set an API token and trusted-publishing = "never" under [tool.unmoor]',
)
START_JOB_FOR_TOKEN = Template(
    "start-job-for-token",
    "start a new job, which gets its own ID token; nothing else in a job may mint with the same one",
)
MATCH_PUBLISHER = Template(
    "match-publisher",
    "on {index}, under the project's 'Publishing' (for a new project: the account's), add a publisher with the"
    " fields on the right, or change the workflow to match the publisher; each index needs its own publisher, and a"
    " pending one expires (on PyPI after 30 days)",
)
ADD_PUBLISHER_TO_PROJECT = Template(
    "add-publisher-to-project",
    "choose another name; or, if the project is yours, add a publisher under its own 'Publishing' on {index} (the"
    " pending one is gone now)",
)
CORRECT_OR_USE_TOKEN = Template(
    "correct-or-use-token",
    'correct what {index} names, or set an API token and trusted-publishing = "never" under [tool.unmoor]',
)

# Builds
CORRECT_BUILD_REQUIREMENTS = Template(
    "correct-build-requirements", "correct build-system.requires{also} in pyproject.toml"
)
BUILD_IN_FRESH_CLONE = Template(
    "build-in-fresh-clone",
    "make sure that `python -m build` works in a fresh clone of the tag",
    rehearsed="make sure that `python -m build` works in a fresh clone, and commit that",
)

# Programs
AVOID_BATCH_FILE = Template(
    "avoid-batch-file", "leave those characters out, or name the program that {program} starts, with its arguments"
)
CHECK_PROGRAM = Template("check-program", "check that it exists and is executable")
INSTALL_PROGRAM = Template("install-program", "install {program}")
UPDATE_PROGRAM = Template(
    "update-program",
    "run {program} by hand to see why; if it does not know an option, install a newer version, or take it off the PATH",
)

# Announcements
INSTALL_ANNOUNCE = Template("install-announce", "install unmoor with its extra: pip install 'unmoor[announce]'")
CORRECT_ANNOUNCE_ADDRESS = Template(
    "correct-announce-address", "write it as https://appriseit.com/services/ shows for the service: SCHEME://…"
)
NAME_ANNOUNCE_TARGETS = Template(
    "name-announce-targets",
    'name who hears of it, each with a variable, under [tool.unmoor.announce.targets]: chat = "CHAT_URL"',
)
ADD_ANNOUNCE_TO_WORLD = Template(
    "add-announce-to-world", "add the table [announce.targets] to the world file, with an address for each target"
)
SHORTEN_ADDRESSES = Template("shorten-addresses", "name fewer targets in [tool.unmoor.announce], or shorter addresses")
ANNOUNCE_AGAIN = Template("announce-again", "look whether anybody got the message; if not, send it: {command}")
SEE_NOTES = Template("see-notes", "look at the comments at the end of the release's notes, which name each message")
SHORTEN_NOTES = Template("shorten-notes", "shorten the notes on the release's page")

# Checks of the repository
WRITE_COVERAGE_REPORT = Template(
    "write-coverage-report",
    "run the tests with coverage.py, then write the report of that run: python -m coverage xml -o coverage.xml",
)

# Registries
ADD_REGISTRY_TO_WORLD = Template(
    "add-registry-to-world", 'add a table [[registry]] with host = "{host}" and a loopback address to the world file'
)
USE_HTTPS = Template(
    "use-https", "give the registry an https address in the world file: passwords are sent only over https"
)
CHECK_REGISTRY_TOKENS = Template("check-registry-tokens", "check the registry's token settings")
CHECK_IS_REGISTRY = Template("check-is-registry", "check that this address is a container registry")
CHECK_WHAT_REGISTRY_SERVES = Template("check-what-registry-serves", "check what the registry serves at this address")
NAME_VALID_TAG = Template(
    "name-valid-tag", "use at most 128 letters, digits, '.', '_' and '-', or sha256: and 64 hexadecimal digits"
)
REMOVE_REFERRERS_TAG = Template(
    "remove-referrers-tag",
    "find out who made the tag {tag}, which is for lists of signatures, and remove it",
)
ASK_REGISTRY_OPERATOR = Template("ask-registry-operator", "do not use it; ask the registry's operators")
FIND_OTHER_PUSHER = Template("find-other-pusher", "find out who else pushes this tag")
ALLOW_DELETION = Template(
    "allow-deletion",
    "a version with more than 5,000 downloads cannot be deleted; for any other, the token needs delete:packages",
)
CHECK_PACKAGE_WRITERS = Template("check-package-writers", "check who may write to the package: {page}")
ALLOW_PACKAGES = Template(
    "allow-packages",
    "use a token with read:packages; to delete, it also needs delete:packages and the admin role",
)
LOG_IN_OR_PUBLISH = Template(
    "log-in-or-publish",
    "give a login for {host}, or make the image public",
)
CORRECT_REGISTRY_LOGIN = Template(
    "correct-registry-login",
    "give the user name and a valid password or token of {host}",
)
SEE_REGISTRY_PAGE = Template(
    "see-registry-page",
    "this registry does not support that; see {page}",
)

# uv and pip
FIX_WHAT_PIP_REPORTS = Template("fix-what-pip-reports", "correct what pip reports above: most users install with pip")
INSTALL_UNMOOR_AGAIN = Template("install-unmoor-again", "install unmoor again")
CHECK_UV = Template("check-uv", "check that uv works here: uv venv")
NAME_UV_CACHE = Template(
    "name-uv-cache",
    "set UV_CACHE_DIR to a folder for downloads, or HOME to one that exists and that you may write to",
)
FIX_WHAT_UV_REPORTS = Template("fix-what-uv-reports", "fix what uv reports above")
CORRECT_DEPENDENCIES = Template("correct-dependencies", "correct the project's dependencies")
GIVE_UV_A_LOGIN = Template(
    "give-uv-a-login", "give a login for that index where uv looks for it, or make the index public"
)
CORRECT_UV_CONFIG_FILE = Template("correct-uv-config-file", "correct UV_CONFIG_FILE, or the permissions of the file")
CORRECT_UV_SETTINGS = Template("correct-uv-settings", "correct the settings of uv")

# Files and documents from other jobs
PASS_SHA256_OF_DOCUMENT = Template(
    "pass-sha256-of-document",
    "pass its sha256, which was printed as the last lines of the run that made it, in its job summary, and as its"
    " step outputs: --manifest-sha256 HEX",
)
CORRECT_SHA256 = Template(
    "correct-sha256",
    "give the sha256 that was printed as the last lines of the run that made it, in its job summary, and as its step"
    " outputs; hand over the document, too, or use a token that can read the draft; leave out the sha256 of a"
    " document that is lost",
)
CORRECT_BACKEND = Template("correct-backend", "correct the project's build backend")
USE_VERSION_THAT_WROTE_IT = Template("use-version-that-wrote-it", "use the version of unmoor that wrote it")
REMOVE_FILE = Template("remove-file", "remove the file")
BUILD_WHEELS_FOR_ALL = Template(
    "build-wheels-for-all",
    "build wheels for all platforms that you support (manylinux, musllinux …) with a tool such as cibuildwheel, and"
    " name their folder: --built DIR (docs/how-to/wheels.md)",
)
BUILD_WHEELS_TOO = Template(
    "build-wheels-too",
    'build the wheels into that folder, too; or, to release no wheel, set formats = ["sdist"] under [tool.unmoor]',
)
LEAVE_ONE_RELEASE = Template(
    "leave-one-release", "leave only the files of the release to rehearse there, without those of its dependencies"
)
BUILD_AS_RELEASE = Template(
    "build-as-release",
    "build them again with the version {version} in the project's files; or, if it comes from tags, with a tag for it"
    " on this commit, which stays on this machine unless you push it: git tag {tag}",
)
BUILD_AT_TAG = Template("build-at-tag", "build them at {tag}; or leave out the tag to rehearse {version}")
BUILD_FROM_COMMIT = Template(
    "build-from-commit",
    "build the files from this commit, or check out the commit that they were built from; to rehearse them all the"
    " same, name the tag: {tag}",
)
COPY_FOLDER = Template("copy-folder", "copy it to another place first, and name the copy")
NAME_BUILT_FOLDER = Template("name-built-folder", "name the folder that the files were built into: --built DIR")
HAND_OVER_ONE_COMMIT = Template("hand-over-one-commit", "hand over what was built for this tag at one commit")
WRITE_IMAGE_NAME = Template(
    "write-image-name", "write it as ghcr.io/owner/name: letters, digits, and single . _ - between them"
)
WRITE_IMAGE_REFERENCE = Template("write-image-reference", "write it as host/owner/name:tag or host/owner/name@sha256:…")
REMOVE_OTHER_FILES = Template("remove-other-files", "remove the folder if you do not need them")
HAND_OVER_EVERY_FILE = Template(
    "hand-over-every-file", "hand over exactly the files that were built, which are those of the manifest"
)
HAND_OVER_WITH_MANIFEST = Template(
    "hand-over-with-manifest",
    "in the job that built the files: unmoor release --dry-run --until check-dists --until prove-dists --built DIR"
    " TAG; then hand over .unmoor/TAG of that job, with the sha256 that it printed: --dists DIR --manifest-sha256"
    " HEX",
)
HAND_OVER_FROM_JOB = Template(
    "hand-over-from-job",
    "run the job of the workflow that makes it again, which is {jobs}, and hand over its {document} with the sha256"
    " that it printed: --manifest-sha256 HEX",
)
CORRECT_WORKFLOW = Template(
    "correct-workflow", "correct the file, or remove it and write it again: unmoor workflows write"
)
WRITE_WORKFLOWS = Template("write-workflows", "unmoor workflows write; --dry-run shows what it changes")
NAME_WORKFLOW_FILE = Template("name-workflow-file", "name one of those, or none to take all: unmoor workflows list")
REPLACE_WORKFLOW = Template(
    "replace-workflow",
    "to replace it, and see the diff first: unmoor workflows write --replace --dry-run {name}; to keep it, name the"
    " files to write: unmoor workflows write FILE",
)
REMOVE_TWIN_WORKFLOW = Template("remove-twin-workflow", "git rm {file}")
ADD_BY_HAND = Template("add-by-hand", "write it into {file} by hand")
REMOVE_PUBLISH_JOBS = Template("remove-publish-jobs", "remove those jobs from {file} by hand and commit that")
MAKE_FIRST_COMMIT = Template("make-first-commit", "commit the project first: git add --all && git commit")
COMMIT_OR_STASH = Template("commit-or-stash", "commit those changes, or put them aside: git stash")
GIVE_VERSION = Template("give-version", 'set version in [project], or dynamic = ["version"] if the backend finds it')
CORRECT_PATH = Template("correct-path", "name a file by its path from the top of the repository, with / in it")
CORRECT_PLACE = Template("correct-place", "move it away: unmoor writes a file there")
PLACE_JOB = Template(
    "place-job",
    "put the job on lines of its own below `jobs:`, its name two spaces in; or move it to a file of its own",
)
RESOLVE_ANCHORS = Template("resolve-anchors", "write out in that job what the anchor stands for")
NAME_CHECK = Template("name-check", "name a check of this list: unmoor check --list")
LET_CHECKS_ANSWER = Template(
    "let-checks-answer",
    "see to it that they can answer, as said beside each, or ignore them with a reason: ignore in [tool.unmoor.checks]",
)
LET_CHECK_READ = Template(
    "let-check-read",
    "correct that, let another program judge it, or ignore the check with a reason: ignore in [tool.unmoor.checks]",
)
CORRECT_CHECKED = Template(
    "correct-checked", "correct what is listed, or ignore a check with a reason: ignore in [tool.unmoor.checks]"
)
GIVE_TOOL_LIST = Template(
    "give-tool-list",
    "install a released version of unmoor, or make a list with versions and hashes yourself and pass it with"
    " --tool LIST",
)
BUILD_EACH_FILE_ONCE = Template(
    "build-each-file-once",
    "let one job build each file, and hand over what it built",
)

# The CI
KEEP_VARIABLE = Template(
    "keep-variable", "leave {variable} as GitHub Actions set it; outside of Actions, unset GITHUB_ACTIONS"
)

# The command line
NAME_IMAGE_TO_CLEAN = Template("name-image-to-clean", "name one: unmoor clean images --image ghcr.io/owner/name")
GIVE_DEVELOPMENT_VERSION = Template(
    "give-development-version",
    "write a development version, such as 1.3.0.dev0, where the build takes the version from",
)
PUSH_FROM_BRANCH = Template(
    "push-from-branch", "leave out --push; a run of the branch pushes its images: unmoor images --push"
)
RELEASE_TAG_INSTEAD = Template("release-tag-instead", "unmoor release {tag}")
CHECK_OUT_RUN_COMMIT = Template("check-out-run-commit", "check out the commit of the run: {commit}")
PUSH_BRANCH_FIRST = Template("push-branch-first", "push the branch first: git push origin HEAD")
CONFIGURE_IMAGE = Template(
    "configure-image", "commit a Dockerfile, or name one in [[tool.unmoor.image]]: docs/how-to/images.md"
)
NAME_A_REF = Template("name-a-ref", "name the ref, such as: --ref refs/heads/main, or --ref refs/tags/v1.2.3")
WRITE_FULL_REF = Template("write-full-ref", "write it as refs/heads/{ref} for a branch, or refs/tags/{ref} for a tag")
WRITE_IT_AS = Template("write-it-as", "write it as {example}")
SET_SHA_LENGTH = Template("set-sha-length", "set it to a number from 4 to 40, or unset it")
NAME_A_PLATFORM = Template("name-a-platform", "name one of the platforms in [[tool.unmoor.image]], or add it there")
NAME_HOSTED_PLATFORMS = Template(
    "name-hosted-platforms", "name platforms of Linux there, or release from a workflow of your own"
)
NAME_RELEASE_FILE = Template("name-release-file", "name a file of its own there, such as .github/workflows/release.yml")
NAME_REPOSITORY = Template(
    "name-repository",
    'add the remote, or set repository = "owner/name" in [tool.unmoor]; for another forge: --world FILE',
)
REPORT_IT = Template("report-it", "report it")
PUT_TAG_BACK = Template("put-tag-back", "put the tag back: git push origin {commit}:refs/tags/{tag}")
FORCE_TAG_BACK = Template(
    "force-tag-back",
    "put the tag back: git push --force origin {commit}:refs/tags/{tag}; or leave this release as it is, and release"
    " the new commit as a new version",
)
DELETE_OTHER_DRAFTS = Template("delete-other-drafts", "delete by hand all drafts but the right one: {drafts}")
ATTACH_BY_HAND = Template(
    "attach-by-hand",
    "unmoor never changes a public release: attach {lacking} to it by hand, with the sha256 in its table: unmoor status"
    " {tag}; gh release upload {tag} FILE; or release the next version",
)
GO_ON_WITH_BUILD = Template(
    "go-on-with-build",
    "the rest has to come from the same build: go on where its .unmoor/TAG is, or give the digest that it printed"
    " (--manifest-sha256 HEX); otherwise the release can be finished only if a new build gives the same bytes. If it"
    " does not, release the next version",
)
FINISH_RELEASE = Template(
    "finish-release",
    "finish it: {command}; if that is not possible, release the next version, and delete by hand what is left of"
    " this one",
)
REMOVE_REST_BY_HAND = Template("remove-rest-by-hand", "remove by hand what is left, as the lines above say")
START_WORLD_AGAIN = Template("start-world-again", "start it again")
REPORT_BUG = Template(
    "report-bug",
    "report this bug with {file}, which holds the traceback; nothing was undone",
)
FREE_SPACE_FOR_TRACEBACK = Template(
    "free-space-for-traceback",
    "free disk space, since the traceback could not be written ({reason}); then report this bug",
)
CONFIRM_VERSION = Template(
    "confirm-version", "if this is the version to release in an emergency, confirm it: {command}"
)
CHECK_VERSION = Template(
    "check-version", "run the command again and type {version}, if that is what you want to release"
)
WAIVE_RUN_CHECK = Template(
    "waive-run-check", "if you know that no other run of the tag is active, add: --waive run-check"
)
END_OTHER_RUNS = Template(
    "end-other-runs",
    "wait until these runs have ended, or cancel them; a run that waits for an approval is active, too",
)
NEXT_VERSION_IF_DELETED = Template(
    "next-version-if-deleted",
    "if the index refuses that, the file was deleted there, and its name never comes free: release the next version",
)
ON_MACHINE_WITH_ENGINE = Template(
    "on-machine-with-engine",
    "the image is optional, so only a machine with a container engine releases it",
)
RELEASE_IT = Template(
    "release-it",
    "release it: {command}",
)
UNYANK = Template(
    "unyank",
    "if people should install it, undo the yank on {page}; else accept it, in watch-ignore of [tool.unmoor]",
)
RELEASE_FROM_WORKFLOW = Template(
    "release-from-workflow",
    "an index takes attestations only with the upload: release the next version from the release workflow, by trusted"
    " publishing; to check both: unmoor check --access",
)

# Deployments
CONFIGURE_DEPLOYMENT = Template(
    "configure-deployment",
    "describe it in [tool.unmoor.{table}]; for a version that was released without that: --config FILE",
)
DESCRIBE_DEPLOYMENT = Template("describe-deployment", "describe its place in the world file")
DEPLOY_IT = Template("deploy-it", "deploy it: {command}")
RELEASE_WITH_DEPLOYMENT = Template(
    "release-with-deployment", "release the next version with these settings, since a public release never changes"
)

# Settings and world files
NAME_SETTINGS_FILE = Template("name-settings-file", "name a TOML file with the keys of unmoor.toml: --config FILE")
CORRECT_PYPIRC = Template("correct-pypirc", "correct {path}, or set UNMOOR_PYPI_PASSWORD instead")
CORRECT_FILE = Template("correct-file", "correct {file}")
DESCRIBE_FORGE = Template("describe-forge", "describe the forge in a world file: [forge] with api, uploads and site")
CORRECT_VARIABLE = Template("correct-variable", "correct or unset {variable}")
KEEP_ONE_PLACE = Template("keep-one-place", "keep one of the two")
NAME_WORLD_FILE = Template("name-world-file", "name a world file, such as the one that this writes: unmoor world up")
WRITE_REFERENCE = Template(
    "write-reference", 'write a reference instead, such as password = "env:NAME" (known: {known})'
)
PROTECT_FILE = Template("protect-file", "close it to others: {command}")

# The run
REPORT_WITH_TRACEBACK = Template("report-with-traceback", "report it with the traceback, which is kept")
PASS_SHA256_OF_MANIFEST = Template(
    "pass-sha256-of-manifest",
    "pass the sha256 of the manifest that was printed as the last lines of the run that made it, in its job summary,"
    " and as its step outputs: --manifest-sha256 HEX",
)
RAISE_DEADLINE = Template("raise-deadline", "allow the run more time: deadline = SECONDS under [tool.unmoor]")

# Built files and their tests
EXCLUDE_FROM_SDIST = Template("exclude-from-sdist", "exclude files that do not belong in the sdist")
BUILD_AGAIN = Template(
    "build-again",
    "build the files again; if the new ones have the same fault, correct the build backend",
)
REPLACE_SDIST_LINK = Template(
    "replace-sdist-link",
    "replace the link by what it points to, or exclude it from the sdist: installers refuse to unpack it",
)
RENAME_IN_SDIST = Template(
    "rename-in-sdist",
    "rename the file, or exclude it from the sdist; Linux can unpack such names, but installers on this system cannot",
)
COMPLETE_SDIST = Template(
    "complete-sdist",
    "include every file that the build reads in the sdist, because installers build from it too; or, to release"
    ' without that, set wheel-from = "tree" under [tool.unmoor]',
)
PULL_LFS_FILES = Template("pull-lfs-files", "install git-lfs on this machine, run git lfs pull")
CORRECT_TEST_SOURCES = Template(
    "correct-test-sources", "name files and folders of the repository in test-sources under [tool.unmoor]"
)
PROVE_ELSEWHERE = Template(
    "prove-elsewhere",
    "prove what is for another platform where it runs: in {legs} (there: {command}), and hand over its folder"
    " .unmoor/TAG: --dists DIR",
)
INSTALL_PYTHONS = Template("install-pythons", "install what is missing: uv python install {versions}")
LEAVE_FILE_OUT = Template("leave-file-out", "to go on without them, leave those files out of the release")
INSTALL_COMPATIBLE_PYTHON = Template(
    "install-compatible-python", "install one that uv can find: uv python install {requires}"
)
INSTALL_PYTHON = Template(
    "install-python", "install it: uv python install {wanted}; or set python to another version under [tool.unmoor]"
)
PROVIDE_SIGNING_KEY = Template(
    "provide-signing-key",
    'put the key there, or name another one under [tool.unmoor]: sign-with = "ssh:FILE" or "gpg:KEYID"',
)
UNLOCK_SSH_KEY = Template("unlock-ssh-key", "give the key to an agent, which asks for its passphrase: {command}")
UNLOCK_GPG_KEY = Template(
    "unlock-gpg-key",
    "let gpg-agent ask for its passphrase once: echo test | gpg --local-user {key} --clear-sign",
)
CHECK_SIGNING_KEY = Template("check-signing-key", "check that {key} is one pair of keys, and that it has not expired")
WRITE_PUBLIC_KEY = Template("write-public-key", "write it beside the key: {command}")
NAME_RELEASE_BY_UNMOOR = Template(
    "name-release-by-unmoor", "name a tag that unmoor has released: such a release has an asset manifest.json"
)
PASS_SETTINGS_OF_RELEASE = Template(
    "pass-settings-of-release",
    "pass the settings that the release was made with: --config FILE, or no --config if they are those of the commit",
)
INSTALL_THAT_PYTHON = Template("install-that-python", "install it: uv python install {version}")
MAKE_REPRODUCIBLE = Template(
    "make-reproducible",
    "make the build depend on the commit alone (sort what it lists, take the time from SOURCE_DATE_EPOCH, write no path"
    ' and no user), or set reproducible = "advisory" under [tool.unmoor]',
)
REBUILD_ADVISORY = Template("rebuild-advisory", 'set reproducible = "advisory" under [tool.unmoor]')
REMOVE_SOURCE_FROM_TESTS = Template(
    "remove-source-from-tests", "remove the source from test-sources, so that the tests import what is installed"
)
LIST_TEST_PROGRAM = Template(
    "list-test-program",
    "list the package that provides the test command in test-requires, or name its extra in test-extras",
)
SEE_FAILED_TESTS = Template(
    "see-failed-tests",
    'see which tests fail, and why; if they read the project\'s own modules as files, set test-modules = "keep" under'
    " [tool.unmoor]",
)
INSTALL_FOR_TESTS = Template(
    "install-for-tests",
    "install the packages that provide {modules} for the tests, or declare them as dependencies, if the project itself"
    " needs them",
)
SET_TEST_REQUIRES = Template("set-test-requires", "to install what they lack: {setting} under [tool.unmoor]")
INSTALL_MORE_FOR_TESTS = Template(
    "install-more-for-tests", "to install more for the tests, paste this into pyproject.toml:{setting}"
)
INSTALL_PYTEST_PLUGINS = Template(
    "install-pytest-plugins", "install the plugins of pytest that have these options for the tests"
)
INCLUDE_MODULES = Template("include-modules", "include {modules} in the wheel, or correct the tests")
CORRECT_PYTEST_START = Template(
    "correct-pytest-start",
    "correct what the traceback above shows; if a dependency is at fault, limit its version in the project's metadata",
)
CORRECT_WARNING = Template(
    "correct-warning",
    "correct what warns, or let pytest ignore that warning: the project's configuration of pytest turns warnings into"
    " errors (filterwarnings)",
)
CORRECT_PYTEST_OPTIONS = Template(
    "correct-pytest-options",
    "correct what pytest says above; its options are in the project's configuration of pytest",
)
ALLOW_TESTS_MORE_TIME = Template(
    "allow-tests-more-time",
    "find out why the tests take so long, or allow them more time: test-timeout = SECONDS under [tool.unmoor]",
)
NAME_AN_EXTRA = Template("name-an-extra", "name one of its extras: {known}")
CORRECT_TEST_REQUIRES = Template(
    "correct-test-requires",
    "name a requirements file of the project in test-requires, and list only packages in it that an index has",
)
NAME_TEST_NEEDS = Template(
    "name-test-needs",
    "paste this into pyproject.toml, without what cannot be installed and the tests do not need:{setting}",
)
CORRECT_TEST_GROUPS = Template("correct-test-groups", "correct test-groups, or the group (PEP 735)")
TURN_TESTS_OFF = Template(
    "turn-tests-off",
    'to skip the tests, set tests = "off" under [tool.unmoor]; to set how they run, set test-command',
)
DECLARE_DEPENDENCY = Template(
    "declare-dependency", "declare the dependency that provides {modules}, since a plain install does not"
)
SAY_WHERE_IT_RUNS = Template(
    "say-where-it-runs",
    "import it only where it exists, or say which platforms the project is for: {setting} under [tool.unmoor]",
)
MARK_OPTIONAL = Template("mark-optional", "if {module} is optional: {settings} under [tool.unmoor]")
CORRECT_CODE = Template("correct-code", "correct the project")
RELEASE_CORRECTED = Template(
    "release-corrected",
    "then release the next version, or move the tag if nothing of it is public",
    rehearsed="then commit that",
)
LEAVE_MODULE_OUT = Template(
    "leave-module-out", "to leave a module out of this test, name it in import-skip under [tool.unmoor]"
)

# This machine
FREE_MEMORY = Template("free-memory", "end other programs, or use a larger machine")
FREE_SPACE = Template("free-space", "free space where the checkout and temporary files (TMPDIR) are")
GRANT_PERMISSION = Template("grant-permission", "grant the permission, or use another checkout or TMPDIR")
USE_WRITABLE_DISK = Template("use-writable-disk", "use a checkout and a TMPDIR on disks that can be written")
USE_OTHER_TMPDIR = Template("use-other-tmpdir", "set TMPDIR to a folder on another disk: {why}")
USE_LOCAL_DISK = Template("use-local-disk", "use a checkout on a local disk")
KEEP_PRIVATE = Template(
    "keep-private",
    "use a checkout on a disk that keeps permissions, in WSL one in your home folder, not below /mnt",
)
CLOSE_PROGRAM = Template("close-program", "close the program that uses it, such as an editor, and run this again")
CHECK_DISK = Template("check-disk", "check the disk, or the connection to the network share")
CHECK_NETWORK = Template(
    "check-network",
    "check the network and the server",
)
GIVE_CREDENTIAL = Template(
    "give-credential",
    "give a credential with the needed rights",
)
FIX_WHAT_SERVER_NAMES = Template(
    "fix-what-server-names",
    "fix what the server names",
)
USE_MORE_MEMORY = Template(
    "use-more-memory",
    "use a machine with more memory",
)

# Images
FIND_WHO_CHANGED_ARCHIVE = Template(
    "find-who-changed-archive", "find out who changed the archive, and build those images again"
)
HAND_OVER_ARCHIVE = Template(
    "hand-over-archive", "hand over the archive that the job wrote which built the images (--keep-images)"
)
SHRINK_CONTEXT = Template(
    "shrink-context",
    "exclude what the build does not need in .dockerignore, or raise context-limit in [[tool.unmoor.image]]",
)
PUSH_IMAGES_AGAIN = Template("push-images-again", "push these images again; the deleted digests are listed above")
SHORTEN_DOCKERFILE = Template("shorten-dockerfile", "shorten it")
ADD_FROM = Template("add-from", "add one, or set dockerfile in [[tool.unmoor.image]] to another file")
CORRECT_TARGETS = Template(
    "correct-targets", "name a stage of the Dockerfile in targets of [[tool.unmoor.image]], or correct the Dockerfile"
)
NAME_THE_STAGE = Template("name-the-stage", "give it a name in the Dockerfile, FROM … AS NAME, and use it in targets")
END_HERE_DOCUMENT = Template(
    "end-here-document", "end it with a line that contains only {word}, or put the << into quotes"
)
CORRECT_EXPANSION = Template(
    "correct-expansion", "correct that line, or set the argument with args in [[tool.unmoor.image]]"
)
SHORTEN_ARG = Template("shorten-arg", "shorten the ARG or the FROM")
NAME_THE_IMAGE = Template("name-the-image", "give the image a name in [[tool.unmoor.image]]")
SHORTEN_TAG = Template(
    "shorten-tag", "shorten the rule's pattern, prefix or suffix, the target's suffix, or a name in it"
)
REMOVE_IMAGE_AND_RECORD = Template(
    "remove-image-and-record",
    "if none of it is public, remove that image and its record in .unmoor/TAG, and build again",
)
BUILD_LEG_AGAIN = Template("build-leg-again", "build the leg again from the same files: --dists DIR")
PASS_FILES = Template("pass-files", "pass those files, too: --dists DIR")
PASS_OWN_LEGS = Template(
    "pass-own-legs",
    'pass the legs of these images; if only the repository in their names differs, set repository = "owner/name" in'
    " [tool.unmoor]",
)
ONE_LEG_PER_PLATFORM = Template("one-leg-per-platform", "pass one leg for each platform")
FIND_WHAT_IS_BETWEEN = Template(
    "find-what-is-between", "do not use it; find out what is between this machine and the registry"
)
FIND_WHO_MOVED_VERSION = Template(
    "find-who-moved-version", "a version's tag never moves: find out who set it, or release under a new version"
)
BUILD_LEG_THERE = Template(
    "build-leg-there",
    "run there: unmoor release --dry-run --until prove-images --platform PLATFORM --keep-images TAG",
)
FIND_WHO_PUSHED_VERSION = Template(
    "find-who-pushed-version",
    "version tags are never moved: release a new version, or find out who pushed that image",
)
DELETE_COMMIT_TAG = Template(
    "delete-commit-tag",
    "an earlier build of this commit gave another image; delete that tag if nothing of it is released",
)
SET_PACKAGE_WRITERS = Template(
    "set-package-writers",
    "set who may write to the package at {page}",
)

# Rules for image tags
PASS_EVENT_FILE = Template("pass-event-file", "pass the file that GitHub Actions wrote: --event $GITHUB_EVENT_PATH")
NAME_PULL_REQUEST = Template(
    "name-pull-request", "name the pull request: --ref refs/pull/123/merge --event-name pull_request"
)
USE_IANA_ZONE = Template("use-iana-zone", "use one from the IANA database: tz='Europe/Paris'")
WRITE_EXPRESSION = Template(
    "write-expression",
    "write {{{{name}}}} or {{{{date 'YYYYMMDD' tz='Europe/Paris'}}}}; blocks and helpers are not supported",
)
CLOSE_EXPRESSION = Template("close-expression", "end it with }}}}")
USE_TIME_ZONE_ONLY = Template("use-time-zone-only", "use tz='Europe/Paris', or remove it")
RUN_IN_CHECKOUT = Template("run-in-checkout", "run in a checkout of the repository, or use {{{{date 'YYYYMMDD'}}}}")
USE_ONE_OF = Template("use-one-of", "use one of {known}")
QUOTE_FIELD = Template("quote-field", 'put the whole field in quotes ("pattern=a,b"), and double each quote in it')
CLOSE_QUOTE = Template("close-quote", 'end the field with a double quote (")')
REMOVE_SECOND_EQUALS = Template("remove-second-equals", "remove it: a tag cannot contain it")
SIMPLIFY_PATTERN = Template("simplify-pattern", "write the regular expression without it")
AVOID_NESTED_REPETITION = Template("avoid-nested-repetition", "do not put one repetition inside another, such as (a+)+")
CORRECT_PATTERN = Template("correct-pattern", "correct the regular expression")
NEST_FEWER_GROUPS = Template("nest-fewer-groups", "nest fewer groups")
USE_VALID_FLAGS = Template("use-valid-flags", "use g, i, m, s, u or y, each once")
BEGIN_TAG_WITH_LETTER = Template(
    "begin-tag-with-letter",
    "begin it with a letter, digit or _; if an expression at the start is empty on some events ({{{{branch}}}} on a"
    " pull request), use a rule for the other event only: type=ref,event=branch,suffix=-{{{{sha}}}}",
)
ADD_TAG_RULE = Template(
    "add-tag-rule",
    "add a rule for this event, or do not build images on it; docs/reference/image-tags.md describes rules",
)
ADD_TO_RULE = Template("add-to-rule", "add ,{example} to it")
CORRECT_RULE = Template(
    "correct-rule",
    "correct this {kind}; docs/reference/image-tags.md describes rules",
)

# Release notes
NAME_FRAGMENTS = Template(
    "name-fragments",
    "name them after a type (or add them to towncrier's 'ignore'), and tag that commit",
    rehearsed="name them after a type (or add them to towncrier's 'ignore'), and commit that",
)
BUILD_CHANGELOG = Template(
    "build-changelog",
    "run towncrier build to add them to the section, or remove them, and tag that commit",
    rehearsed="run towncrier build to add them to the section, or remove them, and commit that",
)
DESCRIBE_CHANGES = Template(
    "describe-changes",
    'describe what changed and tag that commit, or set empty-notes = "allow" in [tool.unmoor]',
    rehearsed='describe what changed, or set empty-notes = "allow" in [tool.unmoor], and commit that',
)
NAME_CHANGELOG = Template("name-changelog", "name a file that exists, or remove the setting 'changelog'")
CHECK_TOWNCRIER = Template(
    "check-towncrier",
    "run towncrier build --draft and fix what it reports, then tag that commit",
    rehearsed="run towncrier build --draft and fix what it reports, then commit that",
)
SHORTEN_FRAGMENT = Template("shorten-fragment", "find the long fragment and shorten it")
SET_TEMPLATE = Template(
    "set-template", "set 'template' to a file in the repository or to one of towncrier's own templates"
)
USE_EACH_FIELD_ONCE = Template("use-each-field-once", "use each at most once: {fields}")
CORRECT_AND_TAG = Template(
    "correct-and-tag",
    "correct the file, and tag that commit",
    rehearsed="correct the file, and commit that",
)
KEEP_NOTES_INSIDE = Template(
    "keep-notes-inside",
    "keep the changelog and the fragments in the repository, and tag a commit where they are",
    rehearsed="keep the changelog and the fragments in the repository, and commit that",
)
MOVE_OLD_VERSIONS = Template(
    "move-old-versions", "move old versions to another file, or set 'changelog' to another file"
)
SAVE_AS_UTF8 = Template("save-as-utf8", "save the file as UTF-8 text")
CHECK_DOCUTILS = Template(
    "check-docutils",
    "run docutils on the changelog and fix what it reports, then tag that commit",
    rehearsed="run docutils on the changelog and fix what it reports, then commit that",
)
KEEP_ONE_SECTION = Template(
    "keep-one-section",
    "keep one section for that version in the changelog, and tag that commit",
    rehearsed="keep one section for that version in the changelog, and commit that",
)

# The project, its name and its version
SET_PROJECT = Template("set-project", 'set project = "NAME" under [tool.unmoor] in pyproject.toml')
COMMIT_PROJECT = Template(
    "commit-project", "commit them; or name another checkout (--directory DIR), or a folder in this one (--path DIR)"
)
NAME_PROJECT = Template(
    "name-project",
    'set name = "NAME" under [project]; or, if a build backend computes it, project = "NAME" under [tool.unmoor]',
)
CORRECT_PROJECT_NAME = Template("correct-project-name", 'correct the name, or set project = "NAME" under [tool.unmoor]')
MOVE_SETTINGS = Template("move-settings", "move them to the settings in {path}")
NAME_TAG_OF_PROJECT = Template(
    "name-tag-of-project",
    "the tag {tag} on this commit is of the project in {folder}",
)
SET_TAG_PREFIX = Template(
    "set-tag-prefix",
    "if its tags do not have its name, set tag-prefix in its own settings",
)
NAME_PROJECT_FOLDER = Template(
    "name-project-folder",
    'name its folder: --path DIR, or path = "DIR" in the settings at the top of the repository{known}',
)
REMOVE_PATH = Template(
    "remove-path",
    "remove path from these settings",
)
NAME_A_FOLDER = Template("name-a-folder", "name a folder such as packages/pkg")
NAME_OR_CREATE_TAG = Template(
    "name-or-create-tag",
    "name a tag, such as v1.2.3, or create one: git tag -a v1.2.3 -m v1.2.3; to rehearse a release before you tag it:"
    " unmoor rehearse",
)
SET_BUILT_VERSION = Template(
    "set-built-version",
    "write the tag's version where the build takes it from, and tag that commit; or release the tag of the version that"
    " the build gives",
    rehearsed=(
        "name the version that the build gives, as in unmoor rehearse v1.2.3; if that is a development version, write a"
        " release's version where the build takes it from, and commit that"
    ),
)
WRITE_VERSION = Template(
    "write-version",
    "write {version} there, commit, and tag that commit; or release the tag of the version in the file",
    rehearsed="write {version} there and commit that, or rehearse the tag of the version in the file",
)
RELEASE_FROM_HOME = Template("release-from-home", "release from there; in a fork, rehearse: unmoor rehearse")
FETCH_HISTORY = Template(
    "fetch-history", "git fetch --unshallow --tags; in GitHub Actions: actions/checkout with fetch-depth: 0"
)
CORRECT_VERSION_PATTERN = Template(
    "correct-version-pattern", "correct the pattern in [tool.hatch.version] of pyproject.toml"
)
WRITE_PLAIN_VERSION = Template("write-plain-version", "write it as a plain string, such as version = '1.2.3'")

# What is published
WAIT_FOR_OTHER_RUN = Template("wait-for-other-run", "wait until it ends")
RENAME_FILE = Template(
    "rename-file", "use only letters, digits, '.', '_' and '-' in the file name (project, version, build tag)"
)
FIND_WHO_DELETED_DRAFT = Template("find-who-deleted-draft", "find out who deleted it: this run had not finished")
FIND_OTHER_RUN = Template(
    "find-other-run",
    "find out which run made it; let one run finish, or delete the draft by hand to release the files of this one",
)
FIND_WHO_PUBLISHED = Template("find-who-published", "find out who did")
COMPARE_BY_HAND = Template(
    "compare-by-hand", "the files are too large to fetch and hash: compare by hand, or use an index that gives hashes"
)
RELEASE_IT_AGAIN = Template(
    "release-it-again", "release it again, which replaces the file as long as the release is a draft"
)
LOG_IN_TO_FORGE = Template("log-in-to-forge", "set GH_TOKEN, or log in with: gh auth login")
FIND_WHO_PUSHED = Template(
    "find-who-pushed", "find out who pushed the image; if the release is wrong, release a new version"
)
CHECK_RELEASE_BY_HAND = Template("check-release-by-hand", "check the release by hand")
SHRINK_ASSET = Template("shrink-asset", "make the file smaller: remove large data, or move it to its own package")
BUILD_FEWER_WHEELS = Template(
    "build-fewer-wheels", "build fewer wheels (abi3 serves several Pythons), or leave some platforms to the sdist"
)
CONTINUE_WITH_THOSE = Template("continue-with-those", "to continue with those, remove the run folder: {command}")
KEEP_ONE_RELEASE = Template("keep-one-release", "delete all but the right one by hand")
DELETE_OTHER_DRAFT = Template(
    "delete-other-draft", "delete that draft if nothing of it is public, else release the next version"
)
PUT_FILE_BACK = Template(
    "put-file-back", "put that file back; or, if nothing of it is public, remove the folder and build again"
)
FIX_POSITIONS = Template(
    "fix-positions", "fix the file or remove it; without it you have to move floating tags back by hand"
)
PUSH_TAG_AGAIN = Template(
    "push-tag-again", "if you want this release, push the tag again: git push origin refs/tags/{tag}"
)
MOVE_TAG_BACK = Template(
    "move-tag-back", "never move a released tag: move it back, or release the new commit as a new version"
)
COMMIT_SIGNERS = Template(
    "commit-signers",
    "commit {path} there: a line for each signer, 'NAME ssh-ed25519 KEY' (ssh-keygen(1), ALLOWED SIGNERS); or name"
    " another file in allowed-signers",
)
WAIT_FOR_INDEX = Template("wait-for-index", "wait: an index may take minutes to show a file")
CONTINUE_WITH_FIRST_FILES = Template(
    "continue-with-first-files",
    "to continue with the files that were built first, remove the run folder (.unmoor/TAG) and pass the sha256 of"
    " the manifest that was printed as the last lines of the run that made it, in its job summary, and as its step"
    " outputs: --manifest-sha256 HEX; if that is lost, {instead}",
)
FIND_WHO_UPLOADED_OTHERS = Template(
    "find-who-uploaded-others",
    "find out who uploaded what is not of this release; if it does not belong there, {instead}",
)
CORRECT_PUBLISHER_NAME = Template(
    "correct-publisher-name",
    "the trusted publisher names another project: correct the name there, or in the project's metadata",
)
ASK_FOR_HIGHER_LIMIT = Template(
    "ask-for-higher-limit",
    "make the file smaller, or ask the index's operators for a higher limit",
)
CHOOSE_ANOTHER_NAME = Template(
    "choose-another-name",
    "choose another name for the project, or ask the index's operators",
)
FIX_WHAT_INDEX_NAMES = Template(
    "fix-what-index-names",
    "fix what the index names; a changed file needs a new version",
    rehearsed="fix what the index names, and commit that",
)
COMPARE_DRAFT = Template(
    "compare-draft",
    "compare the two; if the draft is the wrong one, delete it by hand",
)
VOUCH_OR_NEXT_VERSION = Template(
    "vouch-or-next-version",
    "{rule}: if it is right, pass the sha256 of the manifest that was printed as the last lines of the run that made"
    " it, in its job summary, and as its step outputs: --manifest-sha256 HEX; else release the next version",
)
USE_FORMER_VERSION = Template(
    "use-former-version",
    "finish it with the version of unmoor that began it; or, if nothing of it is public, take it back with that"
    " version (unmoor undo) and release again",
)
DELETE_DRAFT = Template(
    "delete-draft",
    "delete the draft by hand",
)
ATTACH_FILE = Template(
    "attach-file",
    "attach the file with the sha256 in the manifest, or release the next version",
)
FIND_WHO_CHANGED_DRAFT = Template(
    "find-who-changed-draft",
    "find out who changed it; let one run finish, or delete the draft by hand to release the files of this one",
)
FIND_WHO_REMOVED_FILE = Template(
    "find-who-removed-file",
    "find out who removed it",
)
ATTACH_RIGHT_FILE = Template(
    "attach-right-file",
    "find out who changed it, and attach the right file by hand: it is in the run folder, below .unmoor, and a"
    " distribution is on the index too",
)

# The local world
CLOSE_CONNECTIONS = Template("close-connections", "close programs that have many connections")
SEE_LOG = Template("see-log", "see {log}")
COMMIT_CHANGES = Template(
    "commit-changes", "if you have changed that already, commit it, since a rehearsal builds the commit: {files}"
)
COMMIT_SOMETHING = Template("commit-something", "commit something first")
REPLACE_VERSION_LINK = Template("replace-version-link", "replace the link by a file in the project")
WRITE_A_VERSION = Template(
    "write-a-version", "write one, such as 1.2.3; or name the tag to rehearse: unmoor rehearse v1.2.3"
)
REMOVE_WORLD = Template("remove-world", "remove it: {command}")
STOP_OTHER_WORLD = Template(
    "stop-other-world",
    "stop it, or choose another folder",
)

# The stages
RELEASE_NEW_VERSION = Template("release-new-version", "release a new version: {why}")
SET_REPOSITORY = Template("set-repository", "set the repository to {repository} in the settings and in the git remote")
UNARCHIVE_REPOSITORY = Template("unarchive-repository", "unarchive it in its settings on the forge")
ALLOW_WRITING = Template(
    "allow-writing", "set 'permissions: contents: write' in the workflow, or use a token with Contents: read and write"
)
GRANT_ADMINISTRATION = Template(
    "grant-administration",
    "set GH_TOKEN, or the token in the world file, to that of an administrator of the repository, with Administration:"
    " read and write if it is fine-grained; no token of a workflow has that permission",
)
PROTECT = Template("protect", "see the rules, and add what is missing: unmoor protect --apply")
RESTRICT_WORKFLOWS = Template(
    "restrict-workflows",
    "on the page Actions of the repository's settings, under Workflow permissions, choose to read only, and do not"
    " allow GitHub Actions to approve pull requests",
)
MAKE_RELEASES_IMMUTABLE = Template(
    "make-releases-immutable", "enable release immutability in the repository's settings, under General, Releases"
)
SET_UP_ENVIRONMENT = Template(
    "set-up-environment",
    "on the page Environments of the repository's settings, in {environment}: name required reviewers for what cannot"
    " be taken back, and choose selected branches and tags with the tag rules {tags} and no others",
)
LOOK_AT_PUBLISHERS = Template(
    "look-at-publishers",
    "look at the page Publishing of the project on {index}, or of your account if the project is new: {repository},"
    " workflow {workflow}, environment {environment}",
)
LOOK_AT_SECRET = Template(
    "look-at-secret", "look at the secrets of the environment {environment}, in the repository's settings"
)
RENAME_RULESET = Template(
    "rename-ruleset", "give that ruleset another name, on the page Rules of the repository's settings"
)
COMPARE_RULES = Template("compare-rules", "compare the rules with those that unmoor would have: unmoor protect")
MAKE_PUBLIC_OR_UPGRADE = Template(
    "make-public-or-upgrade",
    "make the repository public, or change the plan of its owner to one with rulesets for private repositories",
)
CORRECT_PROJECT = Template(
    "correct-project",
    "correct the project and release the next version, or move the tag if nothing of it is public",
    rehearsed="correct the project, and commit that",
)
PASS_OTHER_FILES = Template("pass-other-files", "remove this run folder, then pass the files built for this tag")
BUILD_MISSING_FORMAT = Template(
    "build-missing-format",
    "build it in a job ({command}), and pass it too: --dists DIR; or, to release nothing"
    ' else, set formats = ["{other}"] under [tool.unmoor]',
    rehearsed='to release nothing else, set formats = ["{other}"] under [tool.unmoor], and commit that',
)
START_WITH_CURRENT_FILES = Template(
    "start-with-current-files", "remove that folder to start again with the current files"
)
PASS_SHA256_OR_NEXT_VERSION = Template(
    "pass-sha256-or-next-version",
    "pass the sha256 of the manifest that was printed as the last lines of the run that made it, in its job summary,"
    " and as its step outputs: --manifest-sha256 HEX; if that is lost, release the next version",
)
NAME_IMAGES_APART = Template(
    "name-images-apart", "give each its own name in [[tool.unmoor.image]], or its own suffix in targets"
)
BUILD_PLATFORM_ELSEWHERE = Template(
    "build-platform-elsewhere",
    "build that platform on another machine (--platform PLATFORM --keep-images) and pass its folder (--leg DIR), or"
    " install its emulation (binfmt)",
)
SET_SECRETS = Template(
    "set-secrets", "set {variables}, or remove what the build does not need from secrets in [[tool.unmoor.image]]"
)
PASS_AS_SECRET = Template(
    "pass-as-secret",
    'remove it from args, list its environment variable in secrets = ["{name}"] of [[tool.unmoor.image]], and read it'
    " in the Dockerfile with RUN --mount=type=secret,id={name}",
)
CHECK_INDEX_BY_HAND = Template("check-index-by-hand", "check the index by hand")
BUILD_EVERY_PLATFORM = Template(
    "build-every-platform",
    "build every platform, or pass what another machine built (--leg DIR), or remove the other platforms from platforms"
    " in [[tool.unmoor.image]]",
)
CREATE_TAG = Template("create-tag", "{command}; to try it first: unmoor rehearse {tag}")
FETCH_TAG = Template("fetch-tag", "git fetch origin refs/tags/{tag}:refs/tags/{tag}")
COMMIT_OR_NAME_TAG = Template(
    "commit-or-name-tag", "commit, stash or restore them; or name the tag to release its commit as it is"
)
ADD_REMOTE_AND_PUSH = Template(
    "add-remote-and-push", "add it: git remote add origin ADDRESS; then: git push origin TAG"
)
PUSH_TAG = Template("push-tag", "git push origin refs/tags/{tag}")
TAKE_REMOTE_TAG = Template(
    "take-remote-tag",
    "never move a released tag: release a new version; to take the remote's tag: git fetch --force origin"
    " refs/tags/{tag}:refs/tags/{tag}",
)
START_RUN_FOR_TAG = Template(
    "start-run-for-tag", "check whether the tag was moved, and start a new run for the tag as it is now"
)
LOOK_AT_PAGES = Template("look-at-pages", "look at {pages}")
FIND_WHO_UPLOADED = Template("find-who-uploaded", "find out who uploaded it; release a new version")
FIND_WHO_CHANGED_RELEASE = Template("find-who-changed-release", "find out who changed it; release a new version")
GIVE_FORGE_TOKEN = Template(
    "give-forge-token",
    "set GITHUB_TOKEN or GH_TOKEN to a token with contents: write, or name one in the world file",
)
GIVE_INDEX_LOGIN = Template(
    "give-index-login",
    "set UNMOOR_PYPI_PASSWORD (for the staging index UNMOOR_TESTPYPI_PASSWORD) to an API token, or use"
    " TWINE_PASSWORD, ~/.pypirc, a keyring, the world file or trusted publishing",
)
GIVE_REGISTRY_LOGIN = Template(
    "give-registry-login",
    "give the token `packages: write`, set UNMOOR_REGISTRY_<HOST>_USERNAME and _PASSWORD, or name a [[registry]]"
    " login in the world file",
)
UNARCHIVE_PROJECT = Template(
    "unarchive-project",
    "unarchive it in the project's settings on {index}, or release under another name",
)
BEGIN_AGAIN = Template(
    "begin-again",
    "begin the release of this tag again: delete its draft, if there is one, then {command}, here and in every job that"
    " passes files on",
)
ALLOW_MISSING_SBOMS = Template(
    "allow-missing-sboms",
    'set sbom = "auto" in [tool.unmoor], which leaves out what cannot be made, and commit that',
)
ASK_TO_LIFT_QUARANTINE = Template(
    "ask-to-lift-quarantine",
    "ask the operators of {index} why, and to lift it: only they can",
)

REMOVE_SECRET = Template(
    "remove-secret",
    "revoke the secret and remove it; if it is none, say so in ignore of the table scan in [tool.unmoor]: {ignore}",
)
UPDATE_DEPENDENCY = Template(
    "update-dependency",
    "require a version without it of {packages}; or accept it for some time, in ignore of the table scan in"
    " [tool.unmoor]: {ignore}",
)
BUILD_FILES = Template("build-files", "build and test them without publishing anything: unmoor release --dry-run {tag}")
CHECK_SCANNER = Template(
    "check-scanner",
    'to release although nobody can tell: {kind} = "advisory" in the table scan in [tool.unmoor]',
)

# Folders of a run
FIND_WHO_REMOVED = Template("find-who-removed", "find out what did, such as git clean -x in another terminal")
REMOVE_IT = Template("remove-it", "remove {what}: {command}; if git tracks it, commit that")
TAKE_OWNERSHIP = Template(
    "take-ownership",
    "if you trust what it holds, make it yours: {ownership}; else remove it: {removal}",
)
REMOVE_NESTED_FOLDERS = Template("remove-nested-folders", "remove them: {command}")

# Tags
TAG_WITH_VERSION = Template(
    "tag-with-version",
    "tag the commit with a name such as {prefix}v1.2.3 or {prefix}v1.2.3rc1, and release that",
    rehearsed="name a tag such as {prefix}v1.2.3 or {prefix}v1.2.3rc1",
)
TAG_WITHOUT_EPOCH = Template(
    "tag-without-epoch",
    "tag the commit with a version that has no epoch and is higher than all earlier ones, such as {tag}, and release"
    " that",
    rehearsed="name a version that has no epoch and is higher than all earlier ones, such as {tag}",
)
NAME_ONE_OF_THE_TAGS = Template("name-one-of-the-tags", "name the tag to release on the command line")
DELETE_ONE_TAG = Template(
    "delete-one-tag", "delete the wrong one, here and on the remote: git tag -d {tag}, or git tag -d {twin}"
)
RELEASE_OWN_TAG = Template(
    "release-own-tag",
    "release such a tag; or set tag-prefix in [tool.unmoor] to the text before the version; if the tag belongs to a"
    " project in another folder, name that folder: --path DIR",
    rehearsed=(
        "name such a tag; or set tag-prefix in [tool.unmoor] to the text before the version; if the tag belongs to a"
        " project in another folder, name that folder: --path DIR"
    ),
)

# Cutting a release
CHECK_OUT_BRANCH = Template("check-out-branch", "check out the branch to release from, such as: git switch main")
ADD_REMOTE_TO_PUSH = Template("add-remote-to-push", "add it: git remote add origin ADDRESS")
PUSH_BRANCH = Template("push-branch", "push it first: git push {remote} {branch}")
PULL_BRANCH = Template("pull-branch", "bring it up to date: git pull --rebase")
NAME_ANOTHER_VERSION = Template(
    "name-another-version", "name another version, such as: unmoor cut 1.2.3, or unmoor cut --bump patch"
)
NAME_MERGED_VERSION = Template("name-merged-version", "name it, such as: unmoor cut --tag 1.2.3")
MAKE_COMMIT_PASS = Template(
    "make-commit-pass",
    "correct what it reports and commit that; or skip the hooks: unmoor cut --no-verify",
)
MAKE_TAG_SIGNABLE = Template(
    "make-tag-signable",
    "check that git can sign: git tag --sign -m test test-of-signing, and git tag -d test-of-signing",
)
SHORTEN_MESSAGE = Template("shorten-message", "shorten the message, which is message in [tool.unmoor.cut]")
UPDATE_LOCK = Template("update-lock", "make this succeed: uv lock")
CORRECT_BUMP_TABLE = Template(
    "correct-bump-table", "correct that entry of the table, or remove it if the file is no longer to be changed"
)
ALLOW_PUSH = Template(
    "allow-push",
    "see which rules the remote has for branches and tags, and who may bypass them",
)
PUSH_BY_HAND = Template("push-by-hand", "see the commands that do the same: unmoor cut --dry-run")
DELETE_RELEASE_BRANCH = Template(
    "delete-release-branch",
    "if it is an outdated release branch, close its pull request and delete it: git push {remote} --delete {branch}",
)
MERGE_REQUEST = Template("merge-request", "merge the pull request of the release first; to open it: unmoor cut")
CONFIRM_CUT = Template(
    "confirm-cut", "see what would be pushed: unmoor cut --dry-run; then confirm that: unmoor cut --yes"
)
CORRECT_AND_COMMIT = Template("correct-and-commit", "correct that, commit it, and cut the release from that commit")
ALLOW_PULL_REQUESTS = Template(
    "allow-pull-requests",
    "give a token that may write pull requests (GH_TOKEN), or open it on the forge's page of the branch",
)
ALLOW_ACTIONS = Template(
    "allow-actions",
    "give a token with actions: read, and with actions: write to start workflows (GH_TOKEN), or use the forge's page of"
    " its actions",
)
SEE_ACTIONS = Template("see-actions", "see the page of the actions on the forge, where a failed job can be repeated")
PASS_CHECKS = Template("pass-checks", "see all findings and what to do about them: unmoor check")

# Updates of the lock
NAME_LOCKED_PACKAGE = Template("name-locked-package", "name packages as the lock has them: uv tree")
RESOLVE_UPGRADE = Template(
    "resolve-upgrade",
    "make this succeed: uv lock -U --dry-run; if the index does not say when files were uploaded, do without:"
    " unmoor deps update --cool-down 0d",
)
MAKE_TESTS_PASS = Template(
    "make-tests-pass", "make the tests pass with the lock as it is, or set test-command under [tool.unmoor]"
)
COMMIT_LOCK = Template("commit-lock", "commit or undo the changes of uv.lock and pyproject.toml: git status")
LOCK_WITH_UV = Template("lock-with-uv", "update it with the tool that wrote it, or let uv lock the project: uv lock")
LEAVE_SECURITY_OUT = Template(
    "leave-security-out", "to update without knowing the vulnerabilities: unmoor deps update --minor --major"
)
MAKE_NEW_RESULT = Template(
    "make-new-result", "make another one, on the last commit of the default branch: unmoor deps update --result FILE"
)
UPDATE_WORKSPACE = Template(
    "update-workspace", "see what can be updated for the project at the top: unmoor deps update --path . --dry-run"
)
SET_TEST_COMMAND = Template(
    "set-test-command", "set test-command under [tool.unmoor], to what fails if an update breaks the project"
)

# Documentation
CORRECT_DOCS = Template(
    "correct-docs",
    "correct the documentation; then release the next version, or move the tag if nothing of it is public",
    rehearsed="correct the documentation, and commit that",
)
IMPORT_INSTALLED = Template(
    "import-installed",
    "add the module to the wheel; or remove what puts its folder on Python's path, such as sys.path.insert in conf.py",
)
NAME_DOCS_SOURCE = Template("name-docs-source", "name the folder of the documentation: source under [tool.unmoor.docs]")
NAME_DOCS_NEEDS = Template(
    "name-docs-needs",
    "name the extra or the group that installs the builder: requirements under [tool.unmoor.docs]",
)
NAME_DOCS_FOLDER = Template("name-docs-folder", "name another folder, such as: unmoor deploy docs --as dev")
REMOVE_OTHER_DOCS = Template(
    "remove-other-docs",
    "compare them; if the pages of this release are the right ones, delete {folder}/ on the branch",
)
REPLACE_LINK_ON_BRANCH = Template(
    "replace-link-on-branch", "delete {name} on the branch, or replace it by what it leads to"
)
CORRECT_VERSIONS_FILE = Template(
    "correct-versions-file",
    "correct versions.json on the branch: a JSON list of tables with the key version; or delete it, to have it written",
)
ALLOW_DOCS_PUSH = Template(
    "allow-docs-push",
    "let this token push to that branch (contents: write), or let it bypass the rules of the branch",
)
CHECK_READTHEDOCS_BUILD = Template("check-readthedocs-build", "see its log, and correct what fails: {address}")
CONNECT_READTHEDOCS = Template(
    "connect-readthedocs",
    "check the name of the project in to under [tool.unmoor.docs], and that Read the Docs follows the repository",
)
GIVE_READTHEDOCS_TOKEN = Template(
    "give-readthedocs-token", "set READTHEDOCS_TOKEN to a token of a maintainer of the project on Read the Docs"
)
WAIT_FOR_READTHEDOCS = Template("wait-for-readthedocs", "see what it does: {address}")
REVERT_DOCS_BY_HAND = Template(
    "revert-docs-by-hand", "see the last commits of the branch, and revert the one that put the pages there"
)
DEPLOY_DEFAULT_BRANCH = Template(
    "deploy-default-branch", "deploy its last commit, as its own workflow run does: unmoor deploy docs --as {folder}"
)
NAME_DOCS_BRANCH = Template(
    "name-docs-branch", 'name one beside it: to = ["branch:gh-pages", "readthedocs:SLUG"] under [tool.unmoor.docs]'
)
# Spaces
SET_SPACE_TOKEN = Template(
    "set-space-token",
    "give a token that may write to the Space: HF_TOKEN, or token in [space] of the world file",
)
CREATE_SPACE = Template(
    "create-space",
    "create the Space on the hub, give the token access to it, or correct repo in [tool.unmoor.space]",
)
RESTART_SPACE = Template("restart-space", "restart the Space in its settings on the hub")
CORRECT_SPACE_FILES = Template(
    "correct-space-files",
    "correct these files, commit that and tag that commit; a file that may be missing does not belong in critical in"
    " [tool.unmoor.space]",
    rehearsed="correct these files and commit that; a file that may be missing does not belong in critical in"
    " [tool.unmoor.space]",
)
REMOVE_SPACE_SECRET = Template(
    "remove-space-secret",
    "revoke the secret and give it to the Space as one of its secrets on the hub; remove it from the file, commit that"
    " and tag that commit",
    rehearsed="revoke the secret and give it to the Space as one of its secrets on the hub; remove it from the file and"
    " commit that",
)
SEE_SPACE_COMMITS = Template(
    "see-space-commits",
    "look at the last commits of the Space; the next run deploys over them, and tags them first",
)
CORRECT_SPACE = Template(
    "correct-space",
    "correct what its log names, then release the next version, or push it if each push is deployed",
    rehearsed="correct what its log names, and commit that",
)
ALLOW_SPACE_MORE_TIME = Template(
    "allow-space-more-time",
    "look at the Space on the hub; if it needs longer: wait in [tool.unmoor.space]",
)
ROLL_SPACE_BACK = Template(
    "roll-space-back",
    "roll it back by hand: the files of the last tag unmoor-backup-… in {address}",
)
INSTALL_SPACE_EXTRA = Template("install-space-extra", 'pip install "unmoor[space]"')


# Services behind a proxy
PRINT_PROXY_CONFIG = Template(
    "print-proxy-config",
    "write the backend as this prints it, and reload the proxy: unmoor deploy service {name} --proxy-config",
)
DESCRIBE_PROXY = Template(
    "describe-proxy", "add a table [proxy.{name}] with socket and state to the world file, and name that: --world FILE"
)
START_PROXY = Template("start-proxy", "start the proxy, or correct socket in the table [proxy.NAME] of the world file")
ALLOW_PROXY_SOCKET = Template(
    "allow-proxy-socket",
    "let this user write to the socket, which needs 'level admin' in the line 'stats socket' of the proxy's"
    " configuration",
)
CHECK_PROXY_SOCKET = Template(
    "check-proxy-socket", "check that the socket is that of HAProxy's runtime API, 2.4 or later"
)
CORRECT_STATE_FILE = Template(
    "correct-state-file",
    "set state in the table [proxy.NAME] of the world file to the file of 'server-state-file' in the proxy's"
    " configuration, in a folder that this user may write to",
)
FREE_PORT = Template(
    "free-port", "see what listens there, and end it, or set another port in slots: ss -ltnp sport = :{port}"
)
NAME_SERVICE_IMAGE = Template(
    "name-service-image", "set image in [tool.unmoor.service.{name}] to a target of [[tool.unmoor.image]]"
)
ADD_HEALTH_CHECK = Template(
    "add-health-check",
    "add a HEALTHCHECK to the Dockerfile, then release the next version",
    rehearsed="add a HEALTHCHECK to the Dockerfile, and commit that",
)
READ_CONTAINER_LOG = Template(
    "read-container-log",
    "read all that it printed: docker logs {container}; then release a corrected version",
    rehearsed="correct what it reports, and commit that",
)

# Records of metrics
ALLOW_READING_ACTIONS = Template(
    "allow-reading-actions",
    "give a token that may read actions and pull requests: GH_TOKEN, or in a workflow the permissions"
    " actions: read, contents: read and pull-requests: read",
)
REPAIR_STORE = Template("repair-store", "correct the lines, or delete them, and commit that if it is a branch")
REMOVE_FROM_STORE = Template("remove-from-store", "move the file out of the store, or split it by months")
NAME_KNOWN_FILES = Template("name-known-files", "name other files, of these formats: {formats}")
NAME_MEASURED_COMMIT = Template("name-measured-commit", "name the full id of the commit that was measured: --commit ID")
NAME_STORE = Template(
    "name-store", "name a branch that nothing else uses, as branch:metrics, or a folder, as folder:metrics"
)
NAME_OTHER_BRANCH = Template(
    "name-other-branch", "set store in [tool.unmoor.metrics] to another branch, which need not exist: branch:NAME"
)
ALLOW_METRICS_BRANCH = Template(
    "allow-metrics-branch",
    "give a token that may write to the branch {branch} (permission contents: write), and let no rule protect it",
)
NAME_OTHER_DATABASE = Template("name-other-database", "name another file, or delete this one: it is built again")
CORRECT_FIGURES = Template(
    "correct-figures", "correct what made the figures worse, or set other limits in [tool.unmoor.metrics]"
)
ALLOW_ISSUES = Template(
    "allow-issues", "give a token that may write issues (GH_TOKEN; in a job: permissions: issues: write)"
)


# Benchmarks
NAME_BENCH_REPORT = Template(
    "name-bench-report", "name a report that this command writes: unmoor bench compare --report REPORT.json"
)
CONFIGURE_BENCH = Template(
    "configure-bench", "say what to measure in a table [tool.unmoor.bench], and commit that: docs/how-to/benchmarks.md"
)
NAME_BENCH_BASE = Template("name-bench-base", "name the commit to compare with: unmoor bench compare --against REF")
CORRECT_BENCHMARKS = Template(
    "correct-benchmarks",
    "correct the benchmarks, the command or what they need in [tool.unmoor.bench], and commit that",
)
MAKE_IT_FASTER = Template(
    "make-it-faster",
    "correct what the change makes slower; if that is its price, say so where you merge it, or raise threshold under"
    " [tool.unmoor.bench]",
)
ALLOW_BENCH_MORE_TIME = Template("allow-bench-more-time", "raise max-time under [tool.unmoor.bench], or measure less")
COMPARE_WITH_LATER_BASE = Template(
    "compare-with-later-base",
    "compare with a commit that builds and installs here: unmoor bench compare --against REF",
)
ALLOW_COMMENTS = Template("allow-comments", "give a token that may write pull requests (GH_TOKEN)")
NAME_COMMENTED = Template("name-commented", "name the pull request by its number, with --pull-request")

# Chaos
REPLAY_ROUND = Template("replay-round", "play the round again, and report it with its folder: {command}")
REHEARSE_WITHOUT_CHAOS = Template("rehearse-without-chaos", "see what fails without any fault: unmoor rehearse")
LIST_FAULTS = Template("list-faults", "choose other faults: unmoor rehearse --chaos --list")
