"""What a project's tests need, read where people declare it, at a commit and without running any code.

One module for each place of declaration: a function from the project's `Files` to `Source` values. `choose` compares
them with what the test files import (`imports`) where the tests are (`locations`).
"""
