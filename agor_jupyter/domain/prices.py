"""What tokens cost: a table with a date, and the estimate that follows from it. Pure; `services.prices` reads the file."""

import re
from fnmatch import fnmatchcase

from pydantic import Field

from agor_jupyter.domain.costs import ModelUsage
from agor_jupyter.domain.records import Record

_SUFFIX = re.compile(r"\[[^\]]*\]$")
_MILLION = 1_000_000


class Price(Record):
    """US dollars for a million tokens."""

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    cached_read: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """`None`: as input."""
    cached_write: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """`None`: as input."""


class PriceTable(Record):
    as_of: str
    """A date: prices change."""
    currency: str = "USD"
    sources: list[str] = Field(default_factory=list)
    per_million: dict[str, Price]
    """By the model's name, where `*` stands for anything. The longest that fits counts."""

    def price_of(self, model: str | None) -> Price | None:
        """`None`: the table does not know it. A provider before the name (`a/…`) and a variant behind it (`…[1m]`) do not matter."""
        if not model:
            return None
        plain = _SUFFIX.sub("", model.strip())
        names = {model, plain, plain.rpartition("/")[2]}
        found = [pattern for pattern in self.per_million if any(fnmatchcase(name, pattern) for name in names)]
        return self.per_million[max(found, key=lambda pattern: ("*" not in pattern, len(pattern)))] if found else None

    def estimate(self, usage: ModelUsage) -> float | None:
        """What these tokens cost. `None`: the model is unknown, or no tokens are."""
        price = self.price_of(usage.model)
        counts = (usage.input_tokens, usage.output_tokens, usage.cached_read_tokens, usage.cached_write_tokens)
        if price is None or all(count is None for count in counts):
            return None
        read = price.input if price.cached_read is None else price.cached_read
        written = price.input if price.cached_write is None else price.cached_write
        rates = (price.input, price.output, read, written)
        return sum((count or 0) * rate for count, rate in zip(counts, rates, strict=True)) / _MILLION
