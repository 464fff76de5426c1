"""What a user configured: settings and worlds, parsed once at the edge into frozen values.

The command line reads settings and worlds through it; other rooms import its values alone. Begin with
`settings`, the keys of a project; `worlds` reads what a run talks to.
"""
