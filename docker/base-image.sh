#!/usr/bin/env bash
# Make the image python:3.11-slim-bookworm if it cannot be pulled: Debian's minimal system with Python, by debootstrap.
#
#   docker/base-image.sh [--platform linux/amd64|linux/386] [--pull] [--again] [NAME]
#
# NAME defaults to python:3.11-slim-bookworm, and for linux/386 to that with -386 (in an engine without a containerd store,
# a name has one platform). If the engine at DOCKER_HOST already has the image, it stays as it is, unless --again is given.
# Making the image needs root and debootstrap, which apt installs. The result is kept as a tarball in
# $UNMOOR_CACHE/base-image (default: .cache of this repository), under the checksum of this script, and is verified before
# use. If the image cannot be made, --pull pulls it from the registry.
#
# It differs from the registry's image in two ways. Python is Debian's own (in /usr/bin, linked as `python`), without the
# marker that makes pip refuse. The image contains this machine's CA certificates, since a container may need this machine's
# proxy.
#
# Exit codes: 0 the image exists; 1 something failed; 2 usage; 69 it can be neither made nor pulled, with the reason.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

say() { echo "base-image: $*" >&2; }
impossible() {
  say "$*"
  if [ -n "$pull" ]; then
    say "pulling $name"
    timeout 300 docker pull --quiet --platform "$platform" "$name" >/dev/null && exit 0
  fi
  say "hint: if you can reach a registry: docker pull python:3.11-slim-bookworm"
  exit 69
}
usage() {
  sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0" >&2
  exit 2
}

platform=linux/amd64 pull='' again='' name=''
while [ $# -gt 0 ]; do
  case $1 in
    --platform) platform=${2:-} && shift ;;
    --pull) pull=1 ;;
    --again) again=1 ;;
    -*) usage ;;
    *) name=$1 ;;
  esac
  shift
done
case $platform in
  linux/amd64) arch=amd64 architecture=amd64 ;;
  linux/386) arch=i386 architecture=386 ;;
  *) usage ;;
esac
if [ -z "$name" ]; then
  name=python:3.11-slim-bookworm
  [ "$arch" = amd64 ] || name+=-386
fi

has_image() {
  [ "$(docker image inspect --format '{{.Os}}/{{.Architecture}}' "$name" 2>/dev/null)" = "$platform" ]
}

# works: whether `python -m pip` runs and does not refuse, and TLS has certificates.
works() {
  docker run --rm --network none "$name" sh -c \
    'python -m pip install --quiet --no-index --root /tmp/self-test --find-links /nowhere pip 2>&1 | grep -q "externally-managed" && exit 1
     python -m pip --version && python -c "import ssl, sqlite3, venv; assert ssl.create_default_context().get_ca_certs()"' >/dev/null
}

docker version --format '{{.Server.Version}}' >/dev/null 2>&1 || {
  say "no engine answers at DOCKER_HOST=${DOCKER_HOST:-}"
  # shellcheck disable=SC2016 # for the user to type
  say 'hint: eval "$(docker/engine.sh start)"'
  exit 69
}
if [ -z "$again" ] && has_image; then
  exit 0
fi

cache=${UNMOOR_CACHE:-$root/.cache}/base-image
certificates=/etc/ssl/certs/ca-certificates.crt
tarball=$cache/bookworm-$arch-$(sha256sum <"$0" | cut -c 1-12).tar
work=''
trap '[ -z "$work" ] || rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

make_tarball() {
  [ "$(id -u)" -eq 0 ] || impossible "making $name needs root; you are $(id -un)"
  if ! command -v debootstrap >/dev/null; then
    command -v apt-get >/dev/null || impossible "debootstrap is not installed, and there is no apt"
    say "installing debootstrap"
    { apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends debootstrap ||
      { apt-get -q update && apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends debootstrap; }
    } >/dev/null 2>&1 </dev/null || impossible "apt could not install debootstrap"
  fi
  say "making $name for $platform with debootstrap: takes about a minute, once"
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/.making.XXXXXX")
  debootstrap --force-check-gpg --variant=minbase --arch="$arch" --include=python3,python3-venv,python3-pip,ca-certificates \
    bookworm "$work/rootfs" >"$work/log" 2>&1 </dev/null ||
    { tail -n 5 "$work/log" >&2 && impossible "debootstrap failed"; }
  ln -s python3 "$work/rootfs/usr/bin/python"
  rm -f "$work"/rootfs/usr/lib/python3*/EXTERNALLY-MANAGED
  rm -rf "$work"/rootfs/var/cache/apt/* "$work"/rootfs/var/lib/apt/lists/* "$work"/rootfs/var/log/* \
    "$work"/rootfs/usr/share/{doc,man,locale}/* "$work"/rootfs/dev/*
  mv "$work/rootfs$certificates" "$tarball.crt" # added last: see below
  tar -C "$work/rootfs" --numeric-owner -cf "$work/rootfs.tar" .
  (cd "$work" && sha256sum rootfs.tar | cut -d ' ' -f 1 >"$tarball.sha256")
  mv "$work/rootfs.tar" "$tarball"
}

if ! { [ -f "$tarball" ] && [ "$(sha256sum <"$tarball" | cut -d ' ' -f 1)" = "$(cat "$tarball.sha256" 2>/dev/null)" ]; }; then
  make_tarball
fi

# The machine's certificates change more often than the system, so they are a separate layer.
[ -n "$work" ] || work=$(mktemp -d)
mkdir -p "$work/more/etc/ssl/certs"
if [ -s "$certificates" ]; then cp "$certificates" "$work/more$certificates"; else cp "$tarball.crt" "$work/more$certificates"; fi
tar -C "$work/more" --numeric-owner --owner=0 --group=0 --mode=u=rw,go=r --mtime=@0 -cf "$work/certificates.tar" ".$certificates"
ln -s "$tarball" "$work/system.tar"

# Load, because an import loses the platform. The same files give the same image with the same id.
cat >"$work/config.json" <<END
{
  "architecture": "$architecture", "os": "linux", "created": "1970-01-01T00:00:00Z",
  "config": {
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "PIP_CERT=$certificates"],
    "Cmd": ["python3"]
  },
  "rootfs": {
    "type": "layers",
    "diff_ids": ["sha256:$(cat "$tarball.sha256")", "sha256:$(sha256sum <"$work/certificates.tar" | cut -d ' ' -f 1)"]
  },
  "history": [
    {"created": "1970-01-01T00:00:00Z", "created_by": "debootstrap"},
    {"created": "1970-01-01T00:00:00Z", "created_by": "certificates of the machine"}
  ]
}
END
cat >"$work/manifest.json" <<END
[{"Config": "config.json", "RepoTags": ["$name"], "Layers": ["system.tar", "certificates.tar"]}]
END
tar -C "$work" -hc manifest.json config.json system.tar certificates.tar | docker load --quiet >/dev/null
works || { say "$name does not work: either python -m pip or its certificates" && exit 1; }
say "$name is ready for $platform"
