"""A container engine: the docker SDK for everything but builds, which buildx does."""

from unmoor.adapters.engine.docker import DockerEngine

__all__ = ["DockerEngine"]
