"""Run other programs with limits, and never leave one running.

Implements `unmoor.ports.shell`; nothing else in unmoor starts a process. Begin with `shell`. `supervisor` owns the
process groups, and `reaper` ends them if unmoor is killed.
"""
