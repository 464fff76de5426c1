"""Where records are kept: lines in a folder or on a branch, and a database that is built from them.

Begin with `records_store`, which reads and adds records through a port, and begins again if another writer was faster.
`lines` knows the files, `folder` keeps them on this machine, and `database` answers questions.
"""
