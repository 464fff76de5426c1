"""The documentation of a version: built and packed beside the tests, put beside the other versions after the release.

Begin with `layout`, which decides what a deployment changes on a branch of pages. `archive` packs built pages and reads
them again, `objects` names files and folders as git does, so that pages are found on a branch without sending them, and
`building` runs Sphinx, MkDocs or a command of the project.
"""
