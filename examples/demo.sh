#!/usr/bin/env bash
# Release a small package twice, as a release candidate and as a final version, into a world that runs only on this machine:
# two package indexes, a container registry, the GitHub API and a git remote, all real servers on 127.0.0.1. Then install it
# and run its image as a user would. Without a container engine, every release skips the images with a warning.
# Leaves no process, no file and no image behind.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

work=$(mktemp -d "${TMPDIR:-/tmp}/unmoor-demo.XXXXXX")
world='' images='' registry=''

# Remove the demo's images from the engine, under their own names and under those of the stopped registry.
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

# Keep your environment out of it: git settings, tokens, a run of GitHub Actions.
for name in $(compgen -e); do
  case $name in GITHUB_* | ACTIONS_* | RUNNER_* | GH_TOKEN | TWINE_* | UNMOOR_* | SETUPTOOLS_SCM_* | GIT_*)
    case $name in GIT_SSL_*) ;; *) unset "$name" ;; esac ;;
  esac
done
# What the tools leave in the temporary folder is deleted with it.
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

# from_world TABLE KEY: prints a value of world.toml, from the first table if there are several.
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

say "A container engine, and a base image with Python"
if ! engine=$(docker version --format '{{.Server.Version}}' 2>/dev/null); then
  echo "No engine answers, so this demo releases only packages. To start one: docker/engine.sh start"
elif echo "the engine: $engine" && "$here/../docker/base-image.sh" --pull; then
  images=1
  echo "the base image: python:3.11-slim-bookworm"
else
  echo "There is no base image, so this demo releases only packages."
  export DOCKER_HOST=unix:///nowhere
fi

say "A local world to release into, in the background until the end of this demo"
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
  echo "the registry:      $registry, in place of $(from_world registry host)"
fi
cd lighthouse
git remote add origin "$remote"

say "The release candidate: its notes come from the fragments"
run unmoor release --world ../world/world.toml v1.0.0rc1

say "The final release: towncrier writes a section of the changelog, which becomes the notes"
towncrier build --yes --version 1.0.0 >/dev/null 2>&1
git commit --quiet --all --message "Prepare 1.0.0"
run git tag v1.0.0
run git push --quiet origin main v1.0.0
run unmoor release --world ../world/world.toml v1.0.0

say "The same command again: it finds everything by digest, and does nothing twice"
run unmoor release --world ../world/world.toml v1.0.0 >/dev/null

say "As a user: pip installs the final release from the index, and the console script runs"
cd "$work"
python3 -m venv user
run user/bin/python -m pip install --isolated --quiet --no-deps --index-url "$simple" lighthouse-demo
run user/bin/lighthouse --version
run user/bin/lighthouse --at Eddystone

say "uv installs the release candidate on request"
run uv run --quiet --no-project --no-config --index-url "$simple" --with lighthouse-demo==1.0.0rc1 lighthouse "Fl(3) 12s"

if [ -n "$images" ]; then
  say "docker pulls the image by its floating tag and runs it"
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

say "Done after $((SECONDS - started)) s. To rehearse your own project, run this in its checkout: unmoor rehearse"
