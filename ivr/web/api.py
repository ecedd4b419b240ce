"""The API of the report pipeline: published periods and their files, for machines with a token of their own.

    GET /api/v1/periods                                 which periods there are, and which of them are final
    GET /api/v1/periods/<from>_<to>                     the manifest of one
    GET /api/v1/periods/<from>_<to>/files/<name>        a file; ETag is its SHA-256, ranges resume a broken download
    GET /api/v1/openapi.json                            the description of all this, for everyone

Decides who may read: a bearer token whose SHA-256 stands in IVR_API_TOKENS. What is published, and when a period is
final, is decided in `exports/publishing.py`. Nothing is written or computed here.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, jsonify, request, send_file

from ivr.exports import publishing
from ivr.web.api_document import document

if TYPE_CHECKING:
    from ivr.bootstrap import House

# Flask adds the charset to text by itself.
_TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".html": "text/html",
    ".parquet": "application/vnd.apache.parquet",
    ".sav": "application/x-spss-sav",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def register(app: Flask, house: House) -> None:
    """Hang the API on the app."""
    app.register_blueprint(make_blueprint(house))


def make_blueprint(house: House) -> Blueprint:
    """The doors above. Errors are JSON: `{"error": {"code", "message"}}`."""
    blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
    root = house.settings.pipeline
    known = list(house.settings.api_token_hashes.values())

    @blueprint.before_request
    def check_token() -> Response | None:
        if request.endpoint == "api.openapi":
            return None
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        digest = hashlib.sha256(token.strip().encode()).hexdigest()
        # Every token is compared, so that the time tells nothing about which one was close.
        matches = [hmac.compare_digest(digest, one) for one in known]
        if kind.lower() == "bearer" and any(matches):
            return None
        refusal = _error("unauthorized", "Send the token as `Authorization: Bearer …`; `ivr api token` makes one.", 401)
        refusal.headers["WWW-Authenticate"] = 'Bearer realm="toets"'
        return refusal

    @blueprint.after_request
    def keep_private(response: Response) -> Response:
        response.headers["Cache-Control"] = "private, no-cache"
        return response

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        return _conditional(document(house.settings.public_base_url))

    @blueprint.get("/periods")
    def periods() -> Response:
        heads = [{name: one[name] for name in _HEAD} for one in publishing.manifests(root)]
        return _conditional({"periods": heads})

    @blueprint.get("/periods/<period>")
    def period(period: str) -> Response:
        found = publishing.manifest(root, period)
        if found is None:
            return _error("not_found", "This period is not published.", 404)
        return _conditional({**{name: found[name] for name in _HEAD}, "files": found["files"]})

    @blueprint.get("/periods/<period>/files/<name>")
    def file(period: str, name: str) -> Response:
        found = publishing.find_file(root, period, name)
        if found is None or not found[0].is_file():
            return _error("not_found", "The manifest of this period names no such file.", 404)
        path, sha256 = found
        response = send_file(
            path,
            mimetype=_TYPES.get(path.suffix, "application/octet-stream"),
            as_attachment=True,
            download_name=name,
            etag=sha256,
            conditional=True,
        )
        # Hosts that share nothing but the data have other dates for the same bytes; the ETag says all.
        del response.headers["Last-Modified"]
        response.headers["Accept-Ranges"] = "bytes"
        return response

    return blueprint


_HEAD = ("schema_version", "period", "final", "final_at", "published_at")


def _conditional(content: dict[str, Any]) -> Response:
    response = jsonify(content)
    response.add_etag()
    response.make_conditional(request)
    return response


def _error(code: str, message: str, status: int) -> Response:
    response = jsonify({"error": {"code": code, "message": message}})
    response.status_code = status
    return response
