"""The files of a project from one page of an index, for a command that looks at many versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from packaging.version import Version

from unmoor.adapters.index import PackageIndex
from unmoor.adapters.index.pages import SimplePage, files_by_version
from unmoor.adapters.index.read import Reader
from unmoor.ports.index import ListedFile
from unmoor.util.asked_once import AskedOnce


class _OnceReader(Reader, frozen=True, kw_only=True):
    """Reads each page of the simple index once. Its errors are kept, too."""

    once: AskedOnce

    def simple_page(self, project: str) -> SimplePage | None:
        """The page of a project as it was when it was first asked for."""
        return self.once(("page", project), lambda: super(_OnceReader, self).simple_page(project))


@dataclass(frozen=True)
class ListedIndex(PackageIndex):
    """Answers from pages that it reads once. The JSON API is asked each time, since it has a page for each version.

    A file that is uploaded meanwhile is not seen in the simple index. So it is for commands that only read.
    """

    once: AskedOnce = field(default_factory=AskedOnce, compare=False, repr=False)

    def files(self, project: str) -> Mapping[Version, Mapping[str, ListedFile]]:
        """Every file that installers see, by version and name. Raises `Unknown`, `Denied`.

        Empty if the index does not have the project, or shows no file of it.
        """
        return self.once(("files", project), lambda: self._files(project))

    def _files(self, project: str) -> dict[Version, dict[str, ListedFile]]:
        page = self._reader.simple_page(project)
        return files_by_version(page.answer, page.files, project) if page else {}

    @property
    def _reader(self) -> Reader:
        return _OnceReader(place=self.place, http=self.http, clock=self.clock, once=self.once)
