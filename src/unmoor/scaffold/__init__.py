"""What unmoor writes into a repository: proposals of files, shown as a diff and written all together or not at all.

Begin with `file_changes`. The room proposes and compares. Commands show the proposal and ask.
"""
