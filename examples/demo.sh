#!/usr/bin/env bash
# Release a small package twice, a release candidate and the final, into a world that runs on this machine alone: two
# package indexes, a container registry, the GitHub API and a git remote, real servers on 127.0.0.1. Then install it, and run
# its image, as a user would. Where no container engine answers, the images are left out, and every release says so.
# Leaves nothing behind: no process, no file, no image.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

work=$(mktemp -d "${TMPDIR:-/tmp}/unmoor-demo.XXXXXX")
world='' images='' registry=''

# What the engine was made to keep: the images by their own names, and by those of a registry that has gone.
forget_images() {
  local found
  found=$(docker image ls --format '{{.Repository}} {{.ID}}' --no-trunc |
    awk -v registry="${registry:-none}/" '$1 == "unmoor.local/ghcr.io/keepers/lighthouse-demo" || index($1, registry) == 1 { print $2 }' | sort -u)
  # shellcheck disable=SC2086 # one word each
  [ -z "$found" ] || docker image rm --force $found >/dev/null 2>&1 || true
}

finish() {
  status=$?
  trap - EXIT
  if [ -n "$world" ]; then
    kill -TERM "$world" 2>/dev/null || true
    wait "$world" 2>/dev/null || true
  fi
  [ -z "$images" ] || forget_images
  [ "$status" -eq 0 ] || sed 's/^/world: /' "$work/world.log" >&2 2>/dev/null || true
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Nothing of yours takes part: no git settings, no tokens, no run of GitHub Actions.
for name in $(compgen -e); do
  case $name in GITHUB_* | ACTIONS_* | RUNNER_* | GH_TOKEN | TWINE_* | UNMOOR_* | SETUPTOOLS_SCM_* | GIT_*)
    case $name in GIT_SSL_*) ;; *) unset "$name" ;; esac ;;
  esac
done
# What the tools leave in the temporary folder goes with it.
export TMPDIR=$work/tmp
mkdir "$TMPDIR"
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME="A Keeper" GIT_AUTHOR_EMAIL=keeper@example.org
export GIT_COMMITTER_NAME="A Keeper" GIT_COMMITTER_EMAIL=keeper@example.org

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
say() { printf '\n%s# %s%s\n' "$bold" "$*" "$plain"; }
run() {
  printf '%s$ %s%s\n' "$dim" "$*" "$plain" >&2
  "$@"
}

# from_world TABLE KEY: a value of world.toml, of the first table where there are several.
from_world() {
  python3 -c '
import sys, tomllib
table = tomllib.load(open(sys.argv[1], "rb"))[sys.argv[2]]
print((table[0] if isinstance(table, list) else table)[sys.argv[3]])' "$work/world/world.toml" "$@"
}

started=$SECONDS
say "A small package: a version from tags, changelog fragments, tests, a console script, an extra"
cp -R "$here/lighthouse" "$work/lighthouse"
cd "$work/lighthouse"
git init --quiet --initial-branch=main
git add .
git commit --quiet --message "Draw what a sailor sees"
run git tag v1.0.0rc1
git log --oneline --decorate

say "A container engine, and an image with Python to build from"
if ! docker version --format 'the engine: {{.Server.Version}}' 2>/dev/null; then
  echo "None answers here, so this demo releases packages alone. To have one: docker/engine.sh"
elif "$here/../docker/base-image.sh" --pull; then
  images=1
  echo "the base image: python:3.11-slim-bookworm"
else
  echo "There is no image to build from, so this demo releases packages alone."
  export DOCKER_HOST=unix:///nowhere
fi

say "A world to release it into: in the background, until the end of this demo"
printf '%s$ unmoor world up --dir ../world --repository keepers/lighthouse-demo &%s\n' "$dim" "$plain"
unmoor world up --dir ../world --repository keepers/lighthouse-demo >"$work/world.log" 2>&1 &
world=$!
cd "$work"
for _ in $(seq 300); do
  [ -s world/world.toml ] && break
  kill -0 "$world" || exit 1
  sleep 0.1
done
[ -s world/world.toml ]
remote=$(from_world git remote)
simple=$(from_world index simple)
echo "the package index: $simple"
echo "GitHub's API:      $(from_world forge api)"
echo "the git remote:    $remote"
if [ -n "$images" ]; then
  registry=$(from_world registry address)
  registry=${registry#*://}
  echo "the registry:      $registry, which answers for $(from_world registry host)"
fi
cd lighthouse
git remote add origin "$remote"

say "The release candidate: its notes come from the fragments"
run unmoor release --world ../world/world.toml v1.0.0rc1

say "The final release: towncrier has made the changelog's section, and that becomes the notes"
towncrier build --yes --version 1.0.0 >/dev/null 2>&1
git commit --quiet --all --message "Prepare 1.0.0"
run git tag v1.0.0
run git push --quiet origin main v1.0.0
run unmoor release --world ../world/world.toml v1.0.0

say "The same command once more: everything is found, by digest, and nothing is done twice"
run unmoor release --world ../world/world.toml v1.0.0 >/dev/null

say "As a user: pip takes the final release from the index, and the console script runs"
cd "$work"
python3 -m venv user
run user/bin/python -m pip install --isolated --quiet --no-deps --index-url "$simple" lighthouse-demo
run user/bin/lighthouse --version
run user/bin/lighthouse --at Eddystone

say "uv takes the release candidate, if asked for it"
run uv run --quiet --no-project --no-config --index-url "$simple" --with lighthouse-demo==1.0.0rc1 lighthouse "Fl(3) 12s"

if [ -n "$images" ]; then
  say "docker pulls the image by its floating tag, and runs it"
  export DOCKER_CONFIG=$work/docker
  from_world registry password | docker login --username "$(from_world registry username)" --password-stdin "$registry" >/dev/null 2>&1
  run docker pull --quiet "$registry/keepers/lighthouse-demo:1"
  run docker run --rm --network none "$registry/keepers/lighthouse-demo:1" --at Fastnet
fi

say "What every surface holds, compared with what was tested"
cd lighthouse
run unmoor status --world ../world/world.toml v1.0.0rc1
echo
run unmoor status --world ../world/world.toml v1.0.0
latest=$(python3 -c 'import json, sys, urllib.request as u; print(json.load(u.urlopen(sys.argv[1]))["tag_name"])' \
  "$(from_world forge api)/repos/keepers/lighthouse-demo/releases/latest")
echo "the latest release on GitHub: $latest"

say "Done after $((SECONDS - started)) s. Your own project, from its checkout: unmoor rehearse"
