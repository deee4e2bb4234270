"""A model that says what its prompt tells it to: the real agents talk with it over the real wire formats, without a key or a network."""

from harness.model_server.server import ModelServer, Request, Trouble

__all__ = ["ModelServer", "Request", "Trouble"]
