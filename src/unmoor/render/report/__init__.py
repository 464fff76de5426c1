"""The report of one release, as values that know neither a surface nor a run, and its short forms as text.

Begin with `model`: everything that is shown is in it, and what is not known is named there with the reason. The
page is made from it by `unmoor.render.html.release_page`. The command line gathers it.
"""
