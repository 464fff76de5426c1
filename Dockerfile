# unmoor in an image, for a release by hand or in a CI that runs images. unmoor releases it (see pyproject.toml): it puts the
# tested wheel into dist/ and passes its name as WHEEL, so this file builds nothing of the project.
#
#   docker run --rm -v "$PWD:/work" ghcr.io/unmoor/unmoor plan v1.2.3
#
# If the base image can be pulled, pin it by digest: --build-arg BASE=python:3.11-slim-bookworm@sha256:…
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS builder
WORKDIR /build
# The dependencies come from the index, by hash; `make pins` writes the list. It rarely changes, so it is a layer of its own.
COPY docker/requirements.txt ./
RUN python -m venv --without-pip /opt/unmoor \
    && python -m pip --python /opt/unmoor/bin/python install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: --requirement requirements.txt
# unmoor itself comes only from dist/: the index may not have this version yet, or have other bytes under its name.
ARG WHEEL
COPY dist/${WHEEL} dist/
RUN test -n "${WHEEL}" \
    && python -m pip --python /opt/unmoor/bin/python install --no-cache-dir --disable-pip-version-check \
        --no-index --no-deps "dist/${WHEEL}" \
    && python -m pip --python /opt/unmoor/bin/python check

FROM ${BASE} AS production
# git makes the clone that a release is built from. It is not pinned: the distribution removes old versions of packages.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
    && useradd --create-home --uid 10001 unmoor \
    && install --directory --owner unmoor /work
COPY --from=builder /opt/unmoor /opt/unmoor
ENV PATH=/opt/unmoor/bin:$PATH
USER 10001
WORKDIR /work
ENTRYPOINT ["unmoor"]
CMD ["--help"]

# The same image with tools for interactive use: make, ssh for a remote, a pager.
FROM production AS development
USER 0
# Not pinned, as above.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends less make openssh-client \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*
USER 10001
