"""Where records are kept: lines in a folder or on a branch, and a database that is built from them.

`lines` knows the files, `records_store` reads and adds records through a port and begins again if another writer was
faster, `folder` keeps the files on this machine, and `database` answers questions.
"""
