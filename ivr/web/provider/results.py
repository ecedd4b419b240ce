"""What was published of a provider: its rows of table 1.1, once a meetperiode is final."""

from __future__ import annotations

from flask import Response, abort, render_template

from ivr.exports import published_rows
from ivr.web.pages.access import allow, the_house
from ivr.web.provider.door import as_file, blueprint, own


@blueprint.get("/uitslag")
@allow("provider")
def results() -> str:
    found = published_rows.of_provider(the_house().settings.pipeline, own()[1])
    return render_template("provider/results.html", periods=found)


@blueprint.get("/uitslag/<name>.csv")
@allow("provider")
def result_file(name: str) -> Response:
    found = published_rows.find(the_house().settings.pipeline, name, own()[1])
    return as_file(published_rows.as_csv(found), f"tabel_1_1-{found.name}.csv") if found is not None else abort(404)
