"""What tokens cost by the table, and which entry counts."""

import pytest

from agor_jupyter.domain.costs import ModelUsage
from agor_jupyter.domain.errors import BadRequest
from agor_jupyter.domain.prices import PriceTable
from agor_jupyter.services.money import prices

TABLE = PriceTable.model_validate(
    {
        "asOf": "2026-01-01",
        "perMillion": {
            "big": {"input": 2, "output": 10, "cachedRead": 0.2, "cachedWrite": 2.5},
            "big-*": {"input": 4, "output": 20},
            "big-mini*": {"input": 1, "output": 2},
        },
    }
)


@pytest.mark.parametrize(
    ("model", "price"),
    [("big", 2), ("provider/big", 2), ("big[1m]", 2), ("big-5", 4), ("big-mini-5", 1), ("bigger", None), ("", None), (None, None)],
)
def test_the_closest_entry_counts(model, price):
    found = TABLE.price_of(model)

    assert (found and found.input) == price


def test_each_kind_of_token_has_its_price():
    used = ModelUsage(model="big", input_tokens=1_000_000, output_tokens=100_000, cached_read_tokens=1_000_000, cached_write_tokens=400_000)

    assert TABLE.estimate(used) == pytest.approx(2 + 1 + 0.2 + 1)


def test_cached_tokens_without_a_price_of_their_own_cost_what_input_does():
    assert TABLE.estimate(ModelUsage(model="big-5", cached_read_tokens=500_000)) == pytest.approx(2)


@pytest.mark.parametrize("used", [ModelUsage(model="other", input_tokens=5), ModelUsage(model="big"), ModelUsage(input_tokens=5)])
def test_without_a_price_or_tokens_nothing_is_guessed(used):
    assert TABLE.estimate(used) is None


@pytest.mark.parametrize(
    ("model", "read", "written"),
    [
        ("gpt-6.1-sol", 2, 10),
        ("gpt-6.1-terra[high]", 1, 5),
        ("openai/gpt-5.6-luna", 0.2, 1.2),
        ("gpt-5.1-codex-mini", 0.25, 2),
        ("gpt-5.1-codex-max", 1.25, 10),
        ("gemini-3.8-flash", 0.75, 3.75),
        ("gemini-3.1-pro-preview-customtools", 2, 12),
        ("claude-opus-5-5", 4, 20),
        ("claude-opus-5", 5, 25),
    ],
)
def test_the_packaged_table_knows_the_models_that_agents_choose_by_themselves(model, read, written):
    price = prices.packaged().price_of(model)

    assert (price.input, price.output) == (read, written)


def test_the_packaged_table_has_a_date_and_sources_and_an_administrator_may_add_to_it():
    table = prices.load({"mine-*": {"input": 1, "output": 2}, "gpt-5": {"input": 9, "output": 9}})

    assert table.as_of == prices.packaged().as_of >= "2026-01-01"
    assert table.sources
    assert table.price_of("mine-1").output == 2
    assert table.price_of("gpt-5").input == 9
    assert prices.packaged().price_of("gpt-5").input == 1.25
    assert table.price_of("anthropic/claude-sonnet-4-5-20250929").output == 15
    assert table.price_of("claude-opus-4-6[1m]").input == 5
    for bad in ({"x": {"input": -1, "output": 1}}, {"x": 3}, {"x": {"input": 1}}):
        with pytest.raises(BadRequest):
            prices.load(bad)
