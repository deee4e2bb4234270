"""DataFrames: one row for each record, times as times. The only module that loads pandas."""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd


def frame(rows: Sequence[dict[str, object]], names: Sequence[str] = ()) -> pd.DataFrame:
    """`names` are the columns where there are no rows to say so."""
    table = pd.DataFrame(list(rows), columns=None if rows else list(names))
    for name in table.columns:
        if any(isinstance(value, datetime) for value in table[name]):
            table[name] = pd.to_datetime(table[name], utc=True)
    return table
