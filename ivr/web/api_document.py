"""The OpenAPI 3.1 description of the pipeline's API. A test holds it against the routes and against real answers."""

from __future__ import annotations

from typing import Any


def document(base_url: str) -> dict[str, Any]:
    """The whole document; `base_url` is where this house is reached."""
    period = _parameter("period", "First and last day, joined by an underscore", "2026-01-01_2026-12-31")
    name = _parameter("name", "A file that the manifest names", "tabel_1_1.csv")
    missing = _refusal("Not published")
    unknown = _refusal("No token, or one that is not known")
    same = {"description": "Unchanged since the ETag in If-None-Match"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Toets: files for the report pipeline",
            "version": "1",
            "description": "Files may change until `final` is true. The ETag of a file is its SHA-256.",
        },
        "servers": [{"url": base_url.rstrip("/") + "/api/v1"}],
        "security": [{"token": []}],
        "paths": {
            "/periods": {
                "get": {
                    "operationId": "listPeriods",
                    "summary": "Which periods are published, and which of them are final",
                    "responses": {"200": _answer("Periods", "Periods"), "304": same, "401": unknown},
                }
            },
            "/periods/{period}": {
                "get": {
                    "operationId": "readManifest",
                    "summary": "The manifest of a period",
                    "parameters": [period],
                    "responses": {"200": _answer("Manifest", "Manifest"), "304": same, "401": unknown, "404": missing},
                }
            },
            "/periods/{period}/files/{name}": {
                "get": {
                    "operationId": "readFile",
                    "summary": "A file, whole or from where a download broke off",
                    "parameters": [period, name, _header("Range"), _header("If-Range"), _header("If-None-Match")],
                    "responses": {
                        "200": _bytes("The file"),
                        "206": _bytes("The part that was asked for"),
                        "304": same,
                        "401": unknown,
                        "404": missing,
                        "416": {"description": "The file has no such part"},
                    },
                }
            },
            "/openapi.json": {
                "get": {
                    "operationId": "readOpenApi",
                    "summary": "This document",
                    "security": [],
                    "responses": {"200": {"description": "OpenAPI 3.1"}, "304": same},
                }
            },
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": _ERROR, "Head": _HEAD, "Periods": _PERIODS, "File": _FILE, "Manifest": _MANIFEST},
        },
    }


_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        }
    },
}
_HEAD = {
    "type": "object",
    "required": ["schema_version", "period", "final", "final_at", "published_at"],
    "properties": {
        "schema_version": {"type": "integer"},
        "period": {"type": "string", "examples": ["2026-01-01/2026-12-31"]},
        "final": {"type": "boolean"},
        "final_at": {"type": ["string", "null"], "format": "date-time"},
        "published_at": {"type": "string", "format": "date-time"},
    },
}
_PERIODS = {
    "type": "object",
    "required": ["periods"],
    "properties": {"periods": {"type": "array", "items": {"$ref": "#/components/schemas/Head"}}},
}
_FILE = {
    "type": "object",
    "required": ["file", "rows", "sha256", "bytes"],
    "properties": {
        "file": {"type": "string"},
        "rows": {"type": "integer"},
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "bytes": {"type": "integer"},
    },
}
_MANIFEST = {
    "allOf": [
        {"$ref": "#/components/schemas/Head"},
        {
            "type": "object",
            "required": ["files"],
            "properties": {"files": {"type": "array", "items": {"$ref": "#/components/schemas/File"}}},
        },
    ]
}


def _parameter(name: str, description: str, example: str) -> dict[str, Any]:
    return {
        "name": name, "in": "path", "required": True, "description": description, "schema": {"type": "string"},
        "example": example,
    }  # fmt: skip


def _header(name: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}


def _answer(description: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


def _refusal(description: str) -> dict[str, Any]:
    return _answer(description, "Error")


def _bytes(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "headers": {"ETag": {"schema": {"type": "string"}}, "Accept-Ranges": {"schema": {"type": "string"}}},
        "content": {"application/octet-stream": {}, "text/csv": {}, "application/json": {}},
    }
