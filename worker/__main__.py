"""`python -m worker dialling|upkeep|clock`: one queue, or the clock, per process."""

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType

from ivr.errors import ToetsError
from ivr.logs import configure_logs, get_logger
from worker import parts, queues, schedule, serving


def _stop(signum: int, frame: FrameType | None) -> None:
    sys.exit(0)


def main() -> int:
    """Run until SIGTERM or SIGINT. 0: told to stop; 1: the settings do not hold together."""
    parser = argparse.ArgumentParser(prog="python -m worker", description=__doc__)
    parser.add_argument("what", choices=[*queues.QUEUES, "clock"])
    what = parser.parse_args().what
    configure_logs(json_lines=False, level="INFO")  # for what is wrong with the settings themselves
    try:
        settings = parts.house().settings
        configure_logs(json_lines=settings.env == "production", level=settings.log_level)
        _ = parts.house().catalogue, parts.house().clock
    except ToetsError as error:
        get_logger(__name__).error("cannot_start", error=error.message)
        return 1
    # Until RQ sets its own handlers (which let a running job end first), and for the clock.
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    if what == "clock":
        schedule.run()
    else:
        serving.serve(what)
    return 0


if __name__ == "__main__":
    sys.exit(main())
