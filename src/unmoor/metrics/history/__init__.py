"""Reading a forge's runs, jobs, releases and updates of dependencies, a part at a time, until nothing is missing.

Begin with `fetching`, which decides what to ask and what is kept. `spans` are the times that are read completely, and
`facts` makes records of what the forge says.
"""
