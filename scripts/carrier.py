"""`ivr carrier`: the local carrier, its clock and its people, in a process of its own until it is stopped."""

from __future__ import annotations

import asyncio
import json
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from ivr.errors import ConfigurationError, UsageError
from ivr.passes import load_key
from ivr.rehearsal.faults import Rates
from ivr.rehearsal.population import open_population
from ivr.rehearsal.service import LocalCarrier, Plan
from ivr.settings import load_settings
from scripts.output import command, note


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; loopback only.")
@click.option("--port", default=8010, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free port.")
@click.option("--clock", type=click.Choice(["real", "leaping"]), default="real", show_default=True)
@click.option("--socket", "clock_socket", type=click.Path(path_type=Path), help="Where the clock serves others.")
@click.option("--start", help="First moment of a leaping clock, ISO 8601; without a zone it is UTC.")
@click.option("--speed", default=1.0, show_default=True, type=click.FloatRange(min=0.01), help="Of a real clock.")
@click.option("--seed", default=0, show_default=True, help="The same seed meets the same people.")
@click.option("--log", type=click.Path(path_type=Path), help="Each webhook as a JSON line (or IVR_CARRIER_LOG).")
@click.option("--record", type=click.Path(path_type=Path), help="What each person heard, pressed and answered.")
@click.option("--letters", type=click.Path(path_type=Path), help="Codes in the letters, by number (JSON).")
@click.option("--population", type=click.Choice(["synthetic", "monkeys", "nobody"]), default="synthetic")
@click.option("--faults", default="0", show_default=True, help="Chance of each fault, or drop=0.2,rest_429=0.05.")
@click.option("--calls-per-second", default=1.0, show_default=True, type=click.FloatRange(min=0.01))
@click.option("--concurrency", type=click.IntRange(min=1), help="Calls at the same time; more are refused.")
@command
def carrier(clock: str, start: str | None, population: str, faults: str, seed: int, **given: Any) -> None:
    """Run the local carrier and its synthetic people until SIGTERM. It reaches this machine only."""
    settings = load_settings()
    if clock == "leaping" and given["clock_socket"] is None:
        raise UsageError("A leaping clock needs --socket, so that the house can follow it.")
    if start is not None and clock != "leaping":
        raise UsageError("Only a leaping clock can start at another moment: add --clock leaping.")
    rates = Rates.parse(faults)
    plan = Plan(
        host=given["host"],
        port=given["port"],
        is_leaping=clock == "leaping",
        speed=given["speed"],
        start=_moment(start),
        clock_socket=given["clock_socket"],
        seed=seed,
        log=given["log"] or settings.carrier_log,
        calls_per_second=given["calls_per_second"],
        concurrency=given["concurrency"],
        account_sid=settings.twilio_account_sid,
        token=settings.twilio_auth_token.get_secret_value(),
        rates=rates,
        house_url=settings.public_base_url,
        softphone_key=load_key(settings) if clock == "real" else None,
    )
    people = open_population(
        population,  # pyright: ignore[reportArgumentType]  (click checked it)
        settings.config_dir,
        seed=seed,
        rates=rates,
        record=given["record"],
        letters=given["letters"],
    )
    try:
        asyncio.run(_serve(LocalCarrier(plan, people)))
    except OSError as error:
        raise ConfigurationError(
            f"The local carrier cannot listen on port {plan.port}: {error.strerror}. Choose another --port."
        ) from error
    finally:
        people.close()


async def _serve(local: LocalCarrier) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await local.open()
    try:
        note(json.dumps({"ready": local.url, "now": local.keeper.moment().isoformat()}))
        await stop.wait()
    finally:
        await local.close()


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"A moment looks like 2026-10-05T07:00:00+00:00, not {text!r}.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
