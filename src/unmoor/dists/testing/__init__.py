"""What stages that test built files share: interpreters, test suites, and which file an import came from.

It starts programs through ports alone. Begin with `install_test`, what it means for a file to be proven;
`suites` finds a project's own tests.
"""
