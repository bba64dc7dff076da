"""The providers of the installation for the jobs that talk to them, made when first needed."""

from collections.abc import Callable, Iterator, Mapping

from talktime.operations.sweep import Sweep, Swept
from talktime.providers.chosen import Chosen, chosen_providers
from talktime.providers.payment import PaymentProvider

Providers = Mapping[str, PaymentProvider]


class InstalledProviders(Providers):
    """By name, as they are set at the beginning of a job's run: a run with nothing to do reads no
    settings and opens no secret."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._made: Chosen | None = None

    @property
    def active(self) -> str:
        """The provider that takes new cards."""
        return self._chosen().active

    def __getitem__(self, name: str) -> PaymentProvider:
        return self._chosen().providers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._chosen().providers)

    def __len__(self) -> int:
        return len(self._chosen().providers)

    def _chosen(self) -> Chosen:
        if self._made is None:
            sweep = self._sweep
            if sweep.settings is None or sweep.control is None:
                raise ValueError("this job needs the installation and its control plane")
            self._made = chosen_providers(
                sweep.settings, sweep.control, sweep.clock_ms, sweep.next_id
            )
        return self._made


def with_providers(job: Callable[[Sweep, Providers], Swept]) -> Callable[[Sweep], Swept]:
    """The job as the timetable runs it."""

    def run(sweep: Sweep) -> Swept:
        return job(sweep, InstalledProviders(sweep))

    run.__doc__ = job.__doc__
    return run
