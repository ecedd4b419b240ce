"""What the fuzzer is told: it does not guess telephone numbers, addresses of this machine and calls that exist.

Loaded by schemathesis (SCHEMATHESIS_HOOKS). Most of what it makes up gets them; the rest stays as it came.
"""

from __future__ import annotations

import os
from typing import Any
from zlib import crc32

import schemathesis

ACCOUNT = "AC" + "0" * 32
SIDS = os.environ["FUZZ_SIDS"].split(",")
WEBHOOK = "http://127.0.0.1:9/x"


def _seed(given: Any) -> int:
    return crc32(repr(given).encode())


@schemathesis.hook
def map_path_parameters(_context: Any, parameters: Any) -> Any:
    """The account and the call that exist, three times out of four."""
    seed = _seed(parameters)
    if not parameters or seed % 4 == 0:
        return parameters
    known = {"AccountSid": ACCOUNT, "Sid": SIDS[seed % len(SIDS)]}
    return parameters | {name: known[name] for name in parameters if name in known}


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Numbers, webhooks and small numbers that can be meant, four times out of five."""
    seed = _seed(body)
    if not isinstance(body, dict) or seed % 5 == 0:
        return body
    told = {name: WEBHOOK if name.endswith(("Url", "Callback")) else value for name, value in body.items()}
    for name in ("Twiml", "ApplicationSid", "Byoc") if seed % 7 else ():
        told.pop(name, None)
    if context.operation.path.endswith("/Calls.json"):
        told |= {"To": f"+316{seed % 10**8:08d}", "From": "+31850000000", "Url": WEBHOOK}
    if seed % 3:
        # What must lie in a range that the document does not tell is left out; the rest is the fuzzer's.
        told = {
            name: value for name, value in told.items() if not name.startswith(("Machine", "Time", "StatusCallbackE"))
        }
    return told
