"""The stores that other tests run on."""

import pytest

from tests.stores import ADD_WALLET, Store, Stores


def test_a_store_has_tables_and_nothing_in_them(store: Store):
    assert store.control().rows("SELECT count(*) FROM organisation") == [(0,)]
    for cell in store.cells:
        assert store.cell(cell).rows("SELECT count(*) FROM wallet") == [(0,)]


def test_organisations_are_spread_over_the_cells(store: Store):
    homes = {store.add_wallet(organisation_id) for organisation_id in range(1, 4)}
    assert homes == set(store.cells)
    assert store.home(1).rows("SELECT organisation_id FROM wallet WHERE organisation_id = 1") == [
        (1,)
    ]


@pytest.mark.layouts("postgres-servers")
def test_cells_can_be_on_two_servers(store: Store):
    urls = {address.url for address in store.settings.cells.values()}
    assert len(urls) == 2


def test_two_stores_share_nothing(stores: Stores):
    for layout in ("sqlite", "postgres"):
        one, other = stores.make(layout), stores.make(layout)
        connection = one.cell()
        with connection.transaction():
            connection.run(ADD_WALLET, [7, "USD"])
        assert other.cell().rows("SELECT count(*) FROM wallet") == [(0,)]
        stores.drop(one)
        stores.drop(other)
