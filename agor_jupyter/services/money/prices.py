"""Reads the table of prices: the one of this package, and above it what an administrator says."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources

from pydantic import ValidationError

from agor_jupyter.domain.errors import BadRequest
from agor_jupyter.domain.prices import Price, PriceTable


@cache
def packaged() -> PriceTable:
    return PriceTable.model_validate(json.loads(resources.files("agor_jupyter.domain").joinpath("prices.json").read_text("utf-8")))


def load(own: Mapping[str, object]) -> PriceTable:
    """The packaged table with an administrator's `own` prices, by model.

    Errors:
        BadRequest: one of them is no price.
    """
    table = packaged()
    try:
        return table.replace(per_million={**table.per_million, **{name: Price.model_validate(price) for name, price in own.items()}})
    except ValidationError as error:
        raise BadRequest.of(error) from None
