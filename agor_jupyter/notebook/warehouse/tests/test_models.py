import sys
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))
import load


@pytest.fixture
def warehouse():
    with duckdb.connect() as connection:
        load.load(connection)
        load.build(connection)
        yield connection


def one(warehouse, query):
    return warehouse.execute(query).fetchone()[0]


def test_no_order_is_lost(warehouse):
    assert one(warehouse, "select count(*) from stg_orders") == one(warehouse, "select count(*) from raw_orders")


def test_every_order_has_an_id(warehouse):
    without = one(warehouse, "select count(*) from stg_orders where order_id is null")

    assert without == 0


def test_every_order_has_a_customer(warehouse):
    query = "select count(*) from stg_orders where customer_id not in (select customer_id from stg_customers)"

    assert one(warehouse, query) == 0


def test_revenue_is_the_same_by_day_and_by_customer(warehouse):
    by_day = one(warehouse, "select sum(revenue) from daily_revenue")

    assert round(by_day, 2) == round(one(warehouse, "select sum(revenue) from customer_revenue"), 2)
