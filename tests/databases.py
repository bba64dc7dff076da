"""Throw-away PostgreSQL servers for the tests: made in a temporary folder, gone at the end."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

OWNER = "talktime"  # the role of all test databases
START_TIMEOUT_S = 60
PORT_ATTEMPTS = 5
MEMORY = Path("/dev/shm")
MEMORY_FREE_BYTES_MIN = 4 * 1024**3


def roomy_memory() -> Path | None:
    """Where files are kept in memory, if there is much of it: there nothing waits for a disk.

    A killed process loses nothing of it (only a loss of power would).
    """
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_FREE_BYTES_MIN:
        return MEMORY
    return None


def postgres_programs() -> Path:
    """The folder of PostgreSQL's newest installed server programs."""
    folders = [
        path.parent
        for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")
        if path.parent.parent.name.isdigit()
    ]
    if folders:
        return max(folders, key=lambda folder: int(folder.parent.name))
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    raise FileNotFoundError("PostgreSQL's server programs are missing: run tests/servers.sh")


class Cluster:
    """One PostgreSQL server with its own data folder, on a free port of the loopback address.

    `fsync=False` spares the disk, and where there is room keeps all in memory; commits stay
    synchronous, so that a killed client or server process loses nothing (only a loss of power
    would). It begins with a copy of `data` (`keep_data` of another), else empty.
    """

    def __init__(
        self,
        *,
        fsync: bool,
        settings: Mapping[str, str] | None = None,
        data: Path | None = None,
    ) -> None:
        place = None if fsync else roomy_memory()
        self.folder = Path(tempfile.mkdtemp(prefix="talktime-pg-", dir=place))
        self.port = 0
        self._programs = postgres_programs()
        self._owner = _account_that_may_run_postgres()
        self._server: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._log: deque[str] = deque(maxlen=200)
        self._administrator: psycopg.Connection | None = None
        self._settings = {
            "autovacuum_naptime": "10min",
            "fsync": "on" if fsync else "off",
            "full_page_writes": "on" if fsync else "off",
            "listen_addresses": "127.0.0.1",
            "max_connections": "200",
            "max_wal_size": "256MB",
            "shared_buffers": "128MB",
            "synchronous_commit": "on",
            "timezone": "UTC",
            "unix_socket_directories": str(self.folder),
            **(settings or {}),
        }
        self._begin(data)

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases, over the loopback address."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"

    def socket_url(self, database: str = "postgres") -> str:
        """The address of one of its databases, over its Unix socket."""
        return f"postgresql://{OWNER}@/{database}?host={self.folder}&port={self.port}"

    def log(self) -> str:
        """The last lines the server wrote, for a failure's message."""
        return "".join(self._log)

    def start(self) -> None:
        """Start the server and wait until it takes connections; a second start keeps the port."""
        if self.port:
            if not self._try_to_start():
                raise RuntimeError(f"PostgreSQL did not start again:\n{self.log()}")
            return
        for _ in range(PORT_ATTEMPTS):
            self.port = _free_port()
            if self._try_to_start():
                return
        raise RuntimeError(f"PostgreSQL did not start:\n{self.log()}")

    def stop(self) -> None:
        """Stop the server in order: connections are ended, everything is written."""
        if self._server is not None:
            self._part()
            self._server.send_signal(signal.SIGINT)
            self._wait_for_end()

    def kill(self) -> None:
        """Stop the server at once, as a crash would: the next start recovers from its log."""
        if self._server is not None:
            self._part()
            self._server.send_signal(signal.SIGQUIT)
            self._wait_for_end()

    def remove(self) -> None:
        """Stop the server and delete its data."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def create_database(self, name: str, template: str = "template0") -> str:
        """Create a database, a copy of `template`, and return its address.

        Its files are copied as they are: written to the log first, as is usual, it takes twice as
        long.
        """
        self._administer(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self._administer(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )

    def _administer(self, statement: sql.Composed) -> None:
        if self._administrator is None or self._administrator.closed:
            self._administrator = psycopg.connect(self.url(), autocommit=True)
        self._administrator.execute(statement)

    def _part(self) -> None:
        if self._administrator is not None:
            self._administrator.close()
            self._administrator = None

    def keep_data(self, folder: Path) -> None:
        """Stop the server in order, and put a copy of its data there."""
        self.stop()
        _copy(self.folder / "data", folder)

    def _begin(self, data: Path | None) -> None:
        if self._owner is not None:
            account = pwd.getpwnam(self._owner)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        if data is None:
            self._initialise()
        else:
            _copy(data, self.folder / "data")

    def _initialise(self) -> None:
        made = subprocess.run(
            [
                str(self._programs / "initdb"),
                *("--pgdata", str(self.folder / "data")),
                *("--username", OWNER, "--auth", "trust"),
                *("--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"),
            ],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            **self._as_owner(),
        )
        if made.returncode != 0:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise RuntimeError(f"initdb failed:\n{made.stdout}{made.stderr}")

    def _try_to_start(self) -> bool:
        command = [str(self._programs / "postgres"), "-D", str(self.folder / "data")]
        for name, value in {**self._settings, "port": str(self.port)}.items():
            command += ["-c", f"{name}={value}"]
        if shutil.which("setpriv"):  # the server ends with the tests, even when those are killed
            command = ["setpriv", "--pdeathsig", "INT", *command]
        self._server = subprocess.Popen(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **self._as_owner(),
        )
        decided = threading.Event()
        ready = threading.Event()
        self._reader = threading.Thread(
            target=self._read_log, args=(self._server, ready, decided), daemon=True
        )
        self._reader.start()
        decided.wait(START_TIMEOUT_S)
        if not ready.is_set():
            self._server.kill()
            self._wait_for_end()
        return ready.is_set()

    def _read_log(
        self, server: "subprocess.Popen[str]", ready: threading.Event, decided: threading.Event
    ) -> None:
        assert server.stderr is not None
        for line in server.stderr:
            self._log.append(line)
            if "database system is ready to accept connections" in line:
                ready.set()
                decided.set()
        decided.set()

    def _wait_for_end(self) -> None:
        assert self._server is not None
        assert self._reader is not None
        assert self._server.stderr is not None
        self._server.wait(START_TIMEOUT_S)
        self._reader.join(START_TIMEOUT_S)
        self._server.stderr.close()
        self._server = None

    def _as_owner(self) -> dict[str, object]:
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
        if self._owner is None:
            return {"env": environment}
        account = pwd.getpwnam(self._owner)
        return {
            "env": environment,
            "user": account.pw_uid,
            "group": account.pw_gid,
            "extra_groups": [],
        }


@contextmanager
def running_cluster(
    *,
    fsync: bool = False,
    settings: Mapping[str, str] | None = None,
    data: Path | None = None,
) -> Iterator[Cluster]:
    """A started cluster, stopped and deleted at the end however the block ends."""
    cluster = Cluster(fsync=fsync, settings=settings, data=data)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()


def _copy(data: Path, to: Path) -> None:
    """With its owner, who alone may read it."""
    subprocess.run(["cp", "-a", str(data), str(to)], check=True)


def _account_that_may_run_postgres() -> str | None:
    """PostgreSQL refuses to run as root: then the account of Debian's package, else nobody."""
    if os.geteuid() != 0:
        return None
    names = {account.pw_name for account in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
