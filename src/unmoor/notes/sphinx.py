"""What Sphinx's roles and directives show to a reader. `unmoor.notes.convert` and `unmoor.notes.myst` use it."""

from __future__ import annotations

from unmoor.notes.reading import word_set

# Directives that affect Sphinx only and show nothing to a reader.
IGNORED = word_set(
    "toctree index module currentmodule highlight default-domain literalinclude include raw tabularcolumns "
    "testsetup testcleanup contents sectnum meta automodule autoclass autofunction autosummary rst-class class "
    "cssclass"
)
CODE = word_set(
    "code code-block sourcecode testcode doctest ipython prompt console parsed-literal productionlist graphviz"
)
VERSION_LABELS = {
    "versionadded": "Added in version",
    "versionchanged": "Changed in version",
    "deprecated": "Deprecated since version",
    "versionremoved": "Removed in version",
}
# Roles that mark names in code.
_CODE_ROLES = word_set(
    "class func meth attr mod data exc obj const any member type macro struct enum var command option envvar "
    "program file samp kbd makevar regexp setting confval fixture ticket-code"
)
# Roles that mark the number of an issue or pull request.
_NUMBER_ROLES = word_set("issue pr pull gh ghissue ghpull merge bug ticket pull-request")


def read_role(name: str, text: str) -> tuple[str, bool]:
    """Return what a role shows, and whether it is code: names are, issue numbers become ``#12``, the rest is text."""
    shown = text.lstrip("!")
    title, _, target = shown.rpartition("<")
    kind = name.lower().rpartition(":")[2]
    if title.strip() and target.find(">") == len(target) - 1:
        return title.rstrip(), False
    if kind in _NUMBER_ROLES and shown.isdecimal():
        return f"#{shown}", False
    if shown.startswith("~"):
        shown = shown[1:].rpartition(".")[2]
    return shown, kind in _CODE_ROLES
