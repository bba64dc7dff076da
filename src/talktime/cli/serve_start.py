"""Before a process serves: its databases are brought to this version, the demo is there."""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from talktime.cli.api import DEMO_FILE, demo_facts
from talktime.cli.failures import Failure
from talktime.cli.installation import DEMO_LOCK_FILE, cell, control_plane, new_ids
from talktime.clock import now_ms
from talktime.config import Settings, owner_only
from talktime.console.migrate import migrate, pending
from talktime.operations.seed_demo import Demo, seed_demo

LOCK_TRIES, LOCK_WAIT_S = 20, 0.05
"""A command that asks whether a demo runs holds the lock for an instant."""


def make_ready(settings: Settings, demo_url: str | None) -> None:
    """Migrate what may be migrated unasked, and seed the demo where one is wanted.

    A SQLite file belongs to this installation alone. A PostgreSQL database may have other
    processes of another version on it: Failure says to migrate it when that suits them.
    """
    all_sqlite = all(
        address.dialect == "sqlite"
        for address in (settings.control_plane, *settings.cells.values())
    )
    if demo_url is not None or all_sqlite:
        migrate(settings)
    else:
        missing = [name for names in pending(settings).values() for name in names]
        if missing:
            raise Failure(
                f"the databases lack migrations ({len(missing)}, the first is {missing[0]}): "
                "run `talktime migrate`, then start again"
            )
    if demo_url is not None:
        prepare_demo(settings, demo_url)


@contextmanager
def only_demo(settings: Settings, demo: bool) -> Iterator[None]:
    """Be the one demo of this data folder, which has one file for its address; else Failure."""
    if not demo:
        yield
        return
    path = settings.data / DEMO_LOCK_FILE
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = open(path, "w", encoding="utf-8", opener=owner_only)  # noqa: SIM115
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}. Set TALKTIME_DATA.") from error
    with lock:
        if not any(_taken(lock) for _ in range(LOCK_TRIES)):
            raise Failure(
                f"another process serves the demo in {settings.data}: stop it first, "
                "or set TALKTIME_DATA to another folder"
            )
        yield


def _taken(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(LOCK_WAIT_S)
        return False
    return True


def prepare_demo(settings: Settings, url: str) -> None:
    """Seed what is missing of the demo, and write how to use it to the data folder.

    The secrets of an earlier start are kept: its key and its password still work.
    """
    path = settings.data / DEMO_FILE
    known = demo_facts(path)
    with ExitStack() as opened:
        control = opened.enter_context(control_plane(settings))
        cells = {name: opened.enter_context(cell(settings, name)) for name in settings.cells}
        demo = seed_demo(
            control,
            cells,
            now_ms=now_ms(),
            next_id=new_ids().next,
            entropy=secrets.token_bytes,
            switch_key=known.get("switch_key", ""),
            admin_password=known.get("admin_password", ""),
            operator_password=known.get("operator_password", ""),
        )
    # Django's models can be imported only when Django has been set up, as `migrate` does.
    from talktime.console.accounts import create_admin, create_staff

    create_admin(demo.admin_email, demo.admin_password, demo.organisation_id)
    create_staff(demo.operator_email, demo.operator_password, "operator")
    write_demo_file(path, url, demo)


def write_demo_file(path: Path, url: str, demo: Demo) -> None:
    """Write the file whole, for its owner's eyes alone."""
    facts = {
        "url": url,
        "switch_key": demo.switch_key,
        "caller": demo.caller,
        "callee": demo.callee,
        "admin_email": demo.admin_email,
        "admin_password": demo.admin_password,
        "operator_email": demo.operator_email,
        "operator_password": demo.operator_password,
        "organisation": demo.organisation,
        "toll_free": demo.toll_free,
    }
    made = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with open(made, "w", encoding="utf-8", opener=owner_only) as file:
            json.dump(facts, file, indent=2)
            file.write("\n")
        made.replace(path)
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}. Set TALKTIME_DATA.") from error
