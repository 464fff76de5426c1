"""Run other programs with limits, and never leave one running.

Implements `unmoor.ports.shell`; nothing else in unmoor starts a process. Begin with `shell`, then read `supervisor`,
which owns all programs, and `process_system`, the interface of what each system does in its own way.
"""
