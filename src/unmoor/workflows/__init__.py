"""The workflows that unmoor writes for GitHub Actions: a typed model of their jobs, and its text as YAML.

Begin with `model`; each file of a project's workflows has a module of its own.
"""
