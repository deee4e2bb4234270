"""The board's document: the file, the shared document, what is wrong in either, and where a new card goes."""

import jupyter_ydoc  # noqa: F401  it loads every document type, ours too: its own classes must exist before `yboard` is read
