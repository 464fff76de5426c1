"""The pages of an index: the simple index (PEP 503, 691, 592, 658, 700, 792) and the JSON API."""

from __future__ import annotations

import html
import json
from typing import Any

from packaging.version import Version

from unmoor.rehearsal.index.store import QUARANTINED, Project, ProjectStore, Stored

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
LATEST_JSON = "application/vnd.pypi.simple.latest+json"
LATEST_HTML = "application/vnd.pypi.simple.latest+html"
OFFERS = ("text/html", HTML, JSON, LATEST_HTML, LATEST_JSON)
VERSION = "1.4"


def _head(title: str, *, status: str = "") -> str:
    marker = f'    <meta name="pypi:project-status" content="{status}">\n' if status else ""
    return (
        f'<!DOCTYPE html>\n<html>\n  <head>\n    <meta name="pypi:repository-version" content="{VERSION}">\n{marker}'
        f"    <title>{html.escape(title)}</title>\n  </head>\n  <body>\n    <h1>{html.escape(title)}</h1>\n"
    )


def root(project_store: ProjectStore, *, as_json: bool) -> str:
    """Write the list of all projects, without quarantined ones."""
    offered = [each for each in project_store if project_store.status(each) != QUARANTINED]
    if as_json:
        meta = {"api-version": VERSION, "_last-serial": project_store.serial}
        projects = [{"name": each.name, "_last-serial": each.serial} for each in offered]
        return json.dumps({"meta": meta, "projects": projects})
    links = "".join(f'    <a href="/simple/{p.normalized}/">{html.escape(p.name)}</a><br />\n' for p in offered)
    return f"{_head('Simple index')}{links}  </body>\n</html>\n"


def project(project: Project, base: str, *, status: str, as_json: bool) -> str:
    """Write the files and the status of a project; ``base`` is the index's address."""
    if as_json:
        return json.dumps(
            {
                "meta": {"api-version": VERSION, "_last-serial": project.serial},
                "name": project.normalized,
                "versions": [v for v in project.versions if project.of(v)],
                "files": [_simple_file(project, file, base) for file in project.files],
                "alternate-locations": [],
                "project-status": {"status": status},
            }
        )
    links = "".join(f"    {_anchor(project, file, base)}<br />\n" for file in project.files)
    head = _head(f"Links for {project.normalized}", status=status)
    return f"{head}{links}  </body>\n</html>\n<!--SERIAL {project.serial}-->"


def _provenance(project: Project, file: Stored, base: str) -> str | None:
    """Return the address of a file's provenance (PEP 740); ``None`` if it has none."""
    path = f"{project.normalized}/{file.version}/{file.name}"
    return f"{base}/integrity/{path}/provenance" if file.has_provenance else None


def _simple_file(project: Project, file: Stored, base: str) -> dict[str, Any]:
    metadata: object = {"sha256": file.metadata_sha256} if file.metadata_sha256 else False
    return {
        "filename": file.name,
        "url": f"{base}/packages/{file.path}",
        "hashes": {"sha256": file.digests.sha256},
        "requires-python": file.requires_python,
        "size": file.digests.size,
        "upload-time": file.uploaded,
        "yanked": file.yanked or True if file.yanked is not None else False,
        "core-metadata": metadata,
        "data-dist-info-metadata": metadata,
        "provenance": _provenance(project, file, base),
    }


def _anchor(project: Project, file: Stored, base: str) -> str:
    attributes = {"href": f"{base}/packages/{file.path}#sha256={file.digests.sha256}"}
    if file.requires_python:
        attributes["data-requires-python"] = file.requires_python
    if file.metadata_sha256:
        attributes["data-dist-info-metadata"] = f"sha256={file.metadata_sha256}"
        attributes["data-core-metadata"] = f"sha256={file.metadata_sha256}"
    if file.yanked is not None:
        attributes["data-yanked"] = file.yanked
    if provenance := _provenance(project, file, base):
        attributes["data-provenance"] = provenance
    written = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<a {written}>{html.escape(file.name)}</a>"


def newest(project: Project) -> str | None:
    """Return the version that the JSON API gives for the project: the highest final one, else the highest."""
    versions = [version for version in project.versions if project.of(version)]
    finals = [version for version in versions if not Version(version).is_prerelease]
    return next(reversed(finals or versions), None)


def api(project: Project, version: str, base: str, *, whole: bool) -> dict[str, Any]:
    """Return the JSON API of a version; ``whole`` adds the files of every release, as for the project."""
    metadata = dict(project.releases[version])
    info = {
        "name": project.name,
        "version": version,
        "summary": None,
        "description": None,
        "description_content_type": None,
        "requires_dist": None,
        "requires_python": None,
        **metadata,
        "package_url": f"{base}/project/{project.normalized}/",
        "project_url": f"{base}/project/{project.normalized}/",
        "release_url": f"{base}/project/{project.normalized}/{version}/",
        "yanked": bool(project.of(version)) and all(file.yanked is not None for file in project.of(version)),
        "yanked_reason": next((file.yanked for file in project.of(version) if file.yanked), None),
    }
    answer = {
        "info": info,
        "last_serial": project.serial,
        "urls": [_api_file(file, base) for file in project.of(version)],
        "vulnerabilities": [],
    }
    if whole:
        answer["releases"] = {each: [_api_file(file, base) for file in project.of(each)] for each in project.versions}
    return answer


def _api_file(file: Stored, base: str) -> dict[str, Any]:
    digests = file.digests
    return {
        "comment_text": None,
        "digests": {"blake2b_256": digests.blake2, "md5": digests.md5, "sha256": digests.sha256},
        "downloads": -1,
        "filename": file.name,
        "has_sig": False,
        "md5_digest": digests.md5,
        "packagetype": file.kind,
        "python_version": file.pyversion,
        "requires_python": file.requires_python,
        "size": digests.size,
        "upload_time": file.uploaded[:19],
        "upload_time_iso_8601": file.uploaded,
        "url": f"{base}/packages/{file.path}",
        "yanked": file.yanked is not None,
        "yanked_reason": file.yanked or None,
    }


def person(project: Project, version: str, base: str) -> str:
    """Write the web page of a release."""
    links = "".join(f"    <li>{_anchor(project, file, base)}</li>\n" for file in project.of(version))
    return f"{_head(f'{project.name} {version}')}    <ul>\n{links}    </ul>\n  </body>\n</html>\n"
