"""`ivr run`: everything on this machine with the local carrier, on http://127.0.0.1:8000, until Ctrl-C."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from urllib.parse import urlsplit

import click

from ivr.settings import load_settings
from ivr.store import Database
from ivr.store.schema import upgrade
from scripts.household import (
    environment,
    hold,
    hold_port,
    prepare,
    refuse_deaf_address,
    start_carrier,
    start_house,
    start_redis,
)
from scripts.output import command, note
from scripts.processes import Processes


@click.command("run")
@click.option("--population", default="synthetic", show_default=True, help="Who answers: synthetic, monkeys or nobody.")
@click.option("--seed", default=1, show_default=True, help="Seed of the synthetic population.")
@command
def run(population: str, seed: int) -> None:
    """Start Redis, web server, workers, clock and the local carrier; stop them with Ctrl-C."""
    settings = load_settings()
    stack = ExitStack()
    stack.enter_context(hold(prepare(settings.var_dir)))
    stack.enter_context(hold_port(settings.web_port, "IVR_WEB_PORT"))
    is_local = settings.carrier == "local"
    carrier_port = urlsplit(settings.carrier_url).port or 8010
    if is_local:
        stack.enter_context(hold_port(carrier_port, "IVR_CARRIER_URL"))
        refuse_deaf_address(settings.public_base_url, settings.web_port)
    database = Database(settings.database)
    upgrade(database)
    database.dispose()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Processes(environment(settings), settings.var_dir / "log") as processes:
        start_redis(processes, settings)
        if is_local:
            log = settings.carrier_log or settings.var_dir / "carrier.jsonl"
            options = {"population": population, "seed": str(seed), "log": str(log)}
            start_carrier(processes, options, carrier_port)
        start_house(processes, settings, settings.web_port)
        note(f"Toets runs on http://{settings.web_host}:{settings.web_port} (Ctrl-C stops it).")
        note(f"  carrier   {'local, reaches no telephone' if is_local else 'TWILIO: real telephones will ring'}")
        if is_local:
            note(f"  try it    http://{settings.web_host}:{settings.web_port}/softphone takes a call in your browser")
        note(f"  database  {settings.database.rsplit('@')[-1]}")
        note(f"  logs      {settings.var_dir / 'log'}")
        stop.wait()
        note("Stopping …")
    stack.close()
