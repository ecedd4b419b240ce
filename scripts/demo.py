"""`ivr demo`: the main job end to end on real parts, in about two minutes.

Takes the client lists in `examples/`, renders the prompts, calls the people over real HTTP through the local
carrier on a leaping clock, stops at the targets, writes the files, and then checks by what the *carrier* and
the *people* recorded that nothing went wrong. Exits 0 only when every check held.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ivr.errors import RefusedError
from ivr.settings import ROOT, Settings
from ivr.store import Database
from ivr.store.schema import upgrade
from scripts.demo_checks import check_demo, read_lists
from scripts.demo_screen import FieldworkScreen
from scripts.household import environment, free_port, prepare, start_carrier, start_house, start_redis
from scripts.output import command
from scripts.processes import Processes, dies_with_us

PERIOD = "2026-01-01/2026-12-31"
START = "2026-10-05T09:00:00+02:00"
"""A Monday morning, a week after the letters of `examples/` went out."""


@dataclass(frozen=True)
class Provider:
    """A provider of the demo: its list, and what it bought beside the regular route."""

    name: str
    file: str
    purchase: tuple[str, ...] = ()


PROVIDERS = (
    Provider("Taalhuis Noord", "taalhuis-noord.csv"),
    Provider("Inburgering Zuid", "inburgering-zuid.csv"),
    Provider("Werkpad Coaching", "werkpad.xlsx", ("--interviews", "10", "--price", "12,50")),
)


@click.command("demo")
@click.option("--out", type=click.Path(path_type=Path), default=ROOT / "var" / "demo", show_default="var/demo")
@click.option("--seed", default=1, show_default=True, help="Seed of the synthetic population.")
@click.option("--limit", default=900.0, show_default=True, help="Give up after this many seconds.")
@command
def demo(out: Path, seed: int, limit: float) -> None:
    """A whole fieldwork, from client list to files, with nothing but the telephone network missing."""
    console = Console(stderr=False, highlight=False)
    began = time.monotonic()
    state = _fresh(out)
    web_port, carrier_port = free_port(), free_port()
    clock_socket = state.run_dir / "clock.sock"
    settings = state.model_copy(
        update={
            "public_base_url": f"http://127.0.0.1:{web_port}",
            "web_port": web_port,
            "web_processes": 1,
            "carrier_url": f"http://127.0.0.1:{carrier_port}",
            "clock": f"leaping:{clock_socket}",
        }
    )
    children = environment(
        settings,
        IVR_ENV="demo",
        IVR_PUBLIC_BASE_URL=settings.public_base_url,
        IVR_WEB_PORT=str(web_port),
        IVR_WEB_PROCESSES="1",
        IVR_CARRIER="local",
        IVR_CARRIER_URL=settings.carrier_url,
        IVR_CLOCK=settings.clock,
        IVR_CALLS_PER_SECOND="1",
        IVR_SPEECH_ENGINE="espeak",
    )
    database = Database(settings.database)
    upgrade(database)
    letters = settings.var_dir / "letters.json"
    with Processes(children, settings.var_dir / "log") as processes:
        console.rule("1. The parts start")
        start_redis(processes, settings)
        carrier = {
            "clock": "leaping",
            "socket": str(clock_socket),
            "start": START,
            "seed": str(seed),
            "log": str(out / "carrier.jsonl"),
            "record": str(out / "population.jsonl"),
            "letters": str(letters),
        }
        start_carrier(processes, carrier, carrier_port)
        console.print("Redis, database, carrier: ready")

        console.rule("2. The client lists")
        for provider in PROVIDERS:
            _take_in(console, children, provider, out)
        _ivr(children, "links", "letters", str(letters))

        console.rule("3. The prompts")
        _ivr(children, "audio", "render", "--all", quiet=False)

        console.rule("4. The fieldwork")
        start_house(processes, settings, web_port)
        screen = FieldworkScreen(console, database, settings)
        finished = screen.follow(processes, until=began + limit)
        processes.stop("clock")
        processes.stop("web")

        console.rule("5. The files")
        status = _ivr(children, "fieldwork", "status", "--json")
        (out / "status.json").write_text(json.dumps(status, ensure_ascii=False, indent=1) + "\n")
        export = _ivr(children, "export", str(out), "--period", PERIOD, "--json")
        for file in export["files"]:
            console.print(f"  {file['file']:<28}{file['rows']:>7} rows")
        restarts = processes.restarts()
    database.dispose()

    console.rule("6. The checks")
    listed = read_lists(ROOT / "examples" / provider.file for provider in PROVIDERS)
    # Granian starts a killed worker process again by itself; only its log tells.
    was_disturbed = bool(restarts) or "Unexpected exit from worker" in processes.log_tail("web", 1000)
    findings = check_demo(out, status, listed, was_disturbed=was_disturbed)
    for finding in findings:
        console.print(
            f"  {'ok  ' if finding.holds else 'FAIL'}  {finding.claim}"
            + (f": {finding.detail}" if finding.detail else "")
        )
    if restarts:
        console.print(f"  (started again after they died: {restarts})")
    screen.summary(status)
    console.print(f"Everything lies in {out}. It took {time.monotonic() - began:.0f} seconds.")
    if not finished:
        raise RefusedError(
            f"The fieldwork was not finished within {limit:.0f} seconds; see {settings.var_dir / 'log'}."
        )
    broken = [finding.claim for finding in findings if not finding.holds]
    if broken:
        raise RefusedError(f"{len(broken)} checks failed: " + "; ".join(broken))


def _fresh(out: Path) -> Settings:
    """An empty demo directory and the settings that live in it. Refuses to empty a directory that is not ours."""
    marker = out / ".toets-demo"
    if out.exists() and any(out.iterdir()):
        if not marker.exists():
            raise RefusedError(f"{out} holds files that no demo wrote. Name another directory with --out.")
        shutil.rmtree(out)
    prepare(out)
    marker.touch()
    inner = prepare(out / "state")
    # The demo is a world of its own: nothing of the caller's settings may send it elsewhere.
    for name in [name for name in os.environ if name.startswith(("IVR_", "TWILIO_"))]:
        del os.environ[name]
    return Settings(env="demo", var_dir=inner)  # pyright: ignore[reportCallIssue]


def _take_in(console: Console, children: dict[str, str], provider: Provider, out: Path) -> None:
    where = ("--provider", provider.name, "--period", PERIOD)
    answer = _ivr(children, "sample", "import", str(ROOT / "examples" / provider.file), *where, "--json")
    (out / f"import_{Path(provider.file).stem}.json").write_text(
        json.dumps(answer, ensure_ascii=False, indent=1) + "\n"
    )
    console.print(
        f"{provider.name}: {answer['rows']} rows, {answer['accepted']} accepted "
        f"({answer['routes']['telephone']} by telephone), {len(answer['rejected'])} sent back"
    )
    for fault in answer["rejected"][:3]:
        console.print(f"    row {fault['row']}, {fault['column']}: {fault['message']}")
    if len(answer["rejected"]) > 3:
        console.print(f"    … and {len(answer['rejected']) - 3} more")
    if provider.purchase:
        bought = _ivr(children, "order", "add", *where, *provider.purchase, "--json")
        console.print(
            f"    bought {bought['interviews']} interviews at € {bought['price']}: "
            f"Blik op Werk pays € {bought['subsidy']}, the provider € {bought['provider_pays']}"
        )


def _ivr(children: dict[str, str], *arguments: str, quiet: bool = True) -> Any:
    """Run an `ivr` command as an operator would; its JSON document when it was asked for one."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.cli", *arguments],
        env=children,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.PIPE if quiet else None,
        text=True,
        check=False,
        preexec_fn=dies_with_us(),
    )
    if done.returncode:
        raise RefusedError(f"`ivr {' '.join(arguments)}` failed:\n{done.stderr or ''}")
    return json.loads(done.stdout) if quiet and "--json" in arguments else None
