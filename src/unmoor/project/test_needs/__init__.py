"""What a project's tests need, read where people declare it, at a commit and without running any code.

Begin with `choose`. It takes what one module for each place of declaration finds, a function from the project's `Files`
to `Source` values, and compares it with what the test files import (`imports`) where the tests are (`locations`).
"""
