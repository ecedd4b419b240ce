"""`make bench-hosts`: the same fieldworks by one web server and one worker, and by two and four, on PostgreSQL.

The processes share the database and Redis only, as hosts do; the web servers share a port, and the kernel deals the
calls out. Real HTTP, signatures and jobs; the leaping clock leaves out the hours in which nobody works, so that what
takes time is admitting, dialling and answering. Afterwards the count of `ivr rehearse` must find nothing wrong.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from ivr.logs import configure_logs
from ivr.settings import ROOT
from scripts.chaos_world import Size, World
from scripts.output import emit, json_option, note, say

PACE = {"calls_per_second": 40.0, "calls_in_flight": 200}
SMALL = Size(web_servers=1, web_processes=1, workers=1, **PACE)  # pyright: ignore[reportArgumentType]
LARGE = Size(web_servers=2, web_processes=1, workers=4, **PACE)  # pyright: ignore[reportArgumentType]
LONGEST_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Figures:
    """seconds: from the first process to the end of the last fieldwork. wrong: what the count found, in words."""

    web_servers: int
    workers: int
    seconds: float
    calls: int
    webhooks: int
    successful: int
    wrong: list[str]

    @property
    def calls_per_second(self) -> float:
        return self.calls / self.seconds


def work_out(url: str, size: Size, *, seed: int, providers: int, people: int) -> Figures:
    """Every call of these fieldworks, by a house of this size. The database at `url` must be empty."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="toets-hosts-")))
        world = World(folder, seed, url, providers=providers, people=people, size=size)
        stack.callback(world.close)
        stack.callback(world.stop)
        began = time.monotonic()
        world.open()
        while not world.is_over():
            if time.monotonic() - began > LONGEST_SECONDS:
                raise click.ClickException(f"The fieldworks did not end in {LONGEST_SECONDS:g} s: {world.progress()}")
            time.sleep(0.2)
        seconds = time.monotonic() - began
        world.stop()
        figures = world.judge()
        return Figures(
            web_servers=size.web_servers,
            workers=size.workers,
            seconds=seconds,
            calls=figures.counts["calls"],
            webhooks=world.webhooks,
            successful=figures.counts["successful"],
            wrong=list(figures.wrong),
        )


@contextmanager
def _postgres() -> Iterator[list[str]]:
    """Two empty databases on a server of our own."""
    sys.path.insert(0, str(ROOT / "tests"))
    try:
        from postgres_server import PostgresServer  # pyright: ignore[reportMissingImports]  (tests/)
    finally:
        sys.path.pop(0)
    server = PostgresServer()
    try:
        names = ["small", "large"]
        for name in names:
            server.administer(f"CREATE DATABASE {name}")
        yield [server.url(name) for name in names]
    finally:
        server.stop()


@click.command()
@click.option("--providers", default=16, show_default=True)
@click.option("--people", default=25, show_default=True, help="Of each provider, at most.")
@click.option("--seed", default=1, show_default=True)
@json_option
def bench(providers: int, people: int, seed: int, as_json: bool) -> None:
    """One web server and one worker beside two and four, in one run. Exit 1 when a call went wrong."""
    configure_logs(json_lines=False, level="ERROR")
    found: list[Figures] = []
    with _postgres() as urls:
        for url, size in zip(urls, (SMALL, LARGE), strict=True):
            note(f"{size.web_servers} web, {size.workers} workers …")
            found.append(work_out(url, size, seed=seed, providers=providers, people=people))
    ratio = found[1].calls_per_second / found[0].calls_per_second
    wrong = [line for each in found for line in each.wrong]
    if as_json:
        emit({"sides": [asdict(each) for each in found], "ratio": round(ratio, 2), "wrong": wrong})
    else:
        for each in found:
            say(
                f"{each.web_servers} web, {each.workers} workers: {each.calls} calls, {each.webhooks} webhooks in "
                f"{each.seconds:.1f} s = {each.calls_per_second:.1f} calls/s; {each.successful} successful, "
                f"{len(each.wrong)} wrong"
            )
        say(f"ratio {ratio:.2f} (both sides and the carrier share this machine's cores)")
        for line in wrong:
            say(f"  {line}")
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    bench()
