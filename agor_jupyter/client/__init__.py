"""How a kernel or a shell reaches the server: HTTP and the event stream. Knows the records, and nothing of the services."""

from agor_jupyter.client.discovery import Server, find
from agor_jupyter.client.http import Client
from agor_jupyter.client.private import PrivateServer
from agor_jupyter.client.stream import Resync, Stream, ThreadedStream

__all__ = ["Client", "PrivateServer", "Resync", "Server", "Stream", "ThreadedStream", "find"]
