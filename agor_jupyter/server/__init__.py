"""From the browser: the Jupyter Server extension, its handlers, and the event stream.

`extension`, `base`, `routes` and `stream` are imported when the Jupyter server starts and load nothing but tornado; `operations`
and `handlers` load the records and are imported when the event loop runs.
"""
