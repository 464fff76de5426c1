"""Read figures from the files of other tools, and make records of them.

Begin with `recognize`, which says by its content what a file is, whatever it is called. Each format has a module, which
counts and keeps the file in no other form. A file that contradicts itself, or that is only a part, is refused. Texts in
the files come from the project's code: they are shortened and cleaned before they become records.
"""
