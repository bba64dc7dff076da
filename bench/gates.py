"""What the gates cost: the same load with credits alone, and with every gate and meter in use."""

from bench.http import measure, populate, service
from bench.installations import installation
from bench.load import Load

WALLETS = 1_000
CONNECTIONS = 64


def throughputs(kind: str, seconds: float, turns: int) -> tuple[list[float], list[float]]:
    """Requests a second where calls are paid by credits alone, and where policies, country lists,
    a pool with its guard and a spend limit are asked too, measured in turns."""
    with installation(kind) as plain, installation(kind) as gated:
        keys = populate(plain.settings, WALLETS), populate(gated.settings, WALLETS, gated=True)
        rates: tuple[list[float], list[float]] = ([], [])
        with service(plain.environment) as first, service(gated.environment) as second:
            for turn in range(turns):
                for place, port in enumerate((first, second)):
                    seed = 2_000 + 10 * turn + place
                    load = Load(port, keys[place], CONNECTIONS, seconds, WALLETS, seed=seed)
                    rates[place].append(measure(load).requests_per_second)
        return rates
