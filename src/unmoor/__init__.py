"""unmoor: one ``v*`` tag in; a wheel and an sdist on the index and a release on the forge out.

Begin with `assembly`, the release as one list; `core.stage` says what a stage is, and `cli.app` lists the commands.
Every room says in its docstring what it is for.
"""
