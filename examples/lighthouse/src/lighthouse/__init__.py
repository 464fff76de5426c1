"""Reads the character of a light, as charts write it, and draws it."""

from lighthouse.light import Light, parse

__all__ = ["Light", "parse"]
