"""DataFrames: one row for each record, times as times. The only module that loads pandas."""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd


def frame(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows))
    for name in table.columns:
        if any(isinstance(value, datetime) for value in table[name]):
            table[name] = pd.to_datetime(table[name], utc=True)
    return table
