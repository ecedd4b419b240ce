"""The list of calls as Twilio gives it: which calls a query means, and the page of them that it asks for.

Decides what each filter matches and refuses what cannot be meant. A blank filter is refused too: Twilio's OpenAPI
document gives each of them a form, and an empty text has none of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from ivr.rehearsal.calls import Call, CallBook
from ivr.rehearsal.rest_parameters import (
    BAD_PARAMETER,
    MOMENTS,
    STATUSES,
    Fields,
    RestError,
    check_fields,
    first,
    moments,
    number,
)

PAGE_SIZE = 50
_WITH_A_FORM = ("Status", "ParentCallSid", "Page", "PageSize", *MOMENTS)


def page_of(book: CallBook, path: str, query: Fields) -> dict[str, Any]:
    """The page that this query asks for, newest call first. RestError 400 when it cannot be meant."""
    for name in _WITH_A_FORM:
        if "" in query.get(name, ()):
            raise RestError(400, BAD_PARAMETER, f"{name} is empty: leave it out or give it a value.")
    check_fields(query)
    status = first(query, "Status")
    if status is not None and status not in STATUSES:
        raise RestError(400, BAD_PARAMETER, f"Status must be one of {', '.join(STATUSES)}.")
    size = number("PageSize", first(query, "PageSize") or str(PAGE_SIZE), 1, 1000)
    page = number("Page", first(query, "Page") or "0", 0, 10**9)
    found = list(_matching(book, query, status))
    part = found[page * size : (page + 1) * size]
    keep = [(name, value) for name, values in query.items() for value in values if name not in {"Page", "PageSize"}]

    def uri(wanted: int) -> str:
        return f"{path}?{urlencode([*keep, ('PageSize', str(size)), ('Page', str(wanted))])}"

    return {
        "calls": [call.as_json() for call in part],
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": page * size + max(len(part) - 1, 0),
        "uri": uri(page),
        "first_page_uri": uri(0),
        "next_page_uri": uri(page + 1) if (page + 1) * size < len(found) else None,
        "previous_page_uri": uri(page - 1) if page else None,
    }


def _matching(book: CallBook, query: Fields, status: str | None) -> Iterator[Call]:
    spans = moments(query)
    from_ = first(query, "From")
    if first(query, "ParentCallSid") is not None:
        return
    for call in book.newest_first(first(query, "To")):
        # A call that is still queued has not started; the moment of its creation stands in for that.
        started = call.started_at if call.started_at is not None else call.created_at
        if (
            (status is None or call.status == status)
            and (from_ is None or call.from_ == from_)
            and all(_lies_in(name, span, started, call.ended_at) for name, span in spans.items())
        ):
            yield call


def _lies_in(name: str, span: tuple[float, float], started: float, ended: float | None) -> bool:
    moment = started if name.startswith("Start") else ended
    if moment is None:
        return False
    if name.endswith("<"):
        return moment <= span[1]
    if name.endswith(">"):
        return moment >= span[0]
    return span[0] <= moment <= span[1]
