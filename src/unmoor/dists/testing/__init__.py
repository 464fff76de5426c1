"""Test installed files: choose interpreters, probe imports and entry points, run test suites, record imports.

The stages that test built files share this package. It starts programs through ports only. Begin with `install_test`,
which defines when a file is proven. `suites` finds a project's own tests, `copied_tests` copies what they need, and
`suite_run` runs and judges them.
"""
