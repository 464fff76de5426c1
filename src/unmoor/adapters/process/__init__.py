"""Every other program that runs: started, bounded, and never left behind.

Implements `unmoor.ports.shell`; nothing else in unmoor starts a process. Begin with `shell`; `supervisor` owns the
process groups, and `reaper` ends them when we are killed.
"""
