"""Scans of what was built: secrets in files, known vulnerabilities of what they need, and which of it counts.

Begin with `run`, which the stage and the command call.
"""
