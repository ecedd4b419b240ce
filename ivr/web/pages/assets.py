"""Stylesheet and scripts, under an address that carries their content's hash, so that browsers keep them for ever."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, abort, request, url_for
from werkzeug.wrappers import Response

from ivr.web.pages.access import public

HERE = Path(__file__).resolve().parent.parent
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

blueprint = Blueprint("pages", __name__, template_folder=str(HERE / "templates"))


@cache
def _asset(name: str) -> tuple[bytes, bytes, str]:
    """An asset's bytes, the same gzipped, and its version. KeyError when we do not ship it."""
    shipped = {path.name: path for path in (HERE / "static").iterdir() if path.suffix in TYPES}
    body = shipped[name].read_bytes()
    return body, gzip.compress(body, 9, mtime=0), hashlib.sha256(body).hexdigest()[:12]


@blueprint.app_template_global()
def asset(name: str) -> str:
    """The address of an asset."""
    return url_for("pages.serve_asset", version=_asset(name)[2], name=name)


@blueprint.get("/assets/<version>/<name>")
@public
def serve_asset(version: str, name: str) -> Response:
    try:
        plain, squeezed, current = _asset(name)
    except KeyError:
        abort(404)
    takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    response = Response(squeezed if takes_gzip else plain, content_type=f"{TYPES[Path(name).suffix]}; charset=utf-8")
    if takes_gzip:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    fresh = version == current
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if fresh else "no-cache"
    return response
