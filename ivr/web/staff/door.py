"""The blueprint of the staff pages; the modules beside it hang their views on it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("staff", __name__, url_prefix="/staff")
