"""The table of results: each figure, its comparator of the same run, and their ratio."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Row:
    """One figure in several turns, and the comparator's in the same turns."""

    what: str
    unit: str
    ours: list[float]
    comparator: str
    theirs: list[float]
    least: float
    """The ratio that we mean to reach; the most we allow where `at_most`."""
    at_most: bool = False

    def ratio(self) -> float:
        """The median of the turns' ratios."""
        return median(a / b for a, b in zip(self.ours, self.theirs, strict=True))

    def reached(self) -> bool:
        """Whether the ratio is what we mean to reach."""
        return self.ratio() <= self.least if self.at_most else self.ratio() >= self.least

    def line(self) -> str:
        """The row of a Markdown table."""
        bound = "≤" if self.at_most else "≥"
        return (
            f"| {self.what} | {median(self.ours):,.1f} {self.unit} | {self.comparator}: "
            f"{median(self.theirs):,.1f} | {self.ratio():.2f} | {bound} {self.least:g} | "
            f"{'yes' if self.reached() else 'no'} |"
        )


def machine() -> str:
    """What this machine is, as far as it says."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    python = f"{platform.system()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores ({model}), {gib:.0f} GiB, {python}"


def table(rows: list[Row], where: str, seconds: float, turns: int) -> str:
    """The whole page."""
    lines = "\n".join(row.line() for row in rows)
    return f"""# Results of `make bench`

Measured {datetime.now(UTC):%Y-%m-%d} on {where}.
The load generator, the service and PostgreSQL share the machine; PostgreSQL commits with fsync on,
and has files for a GiB of its log, as one that has run for a while.
Each figure is the median of {turns} turns of {seconds:g} s; a ratio is the median of the turns'
ratios to a comparator measured in the same turn.

| what | ours | comparator | ratio | aim | reached |
|---|---|---|---|---|---|
{lines}
"""
