"""A conversation that an agent's own command line kept on this machine, and that can become a session."""

from pydantic import Field

from agor_jupyter.domain.records import Moment, Record, Request

BACKGROUND = ("<earlier-conversation>", "</earlier-conversation>")
"""Around what an agent is told of the past, before a prompt."""


class Conversation(Record):
    """As found in the agent's own files."""

    agent: str
    agent_session_id: str
    title: str
    folder: str
    """Where it took place."""
    turns: int
    """Prompts of a person."""
    started_at: Moment | None = None
    updated_at: Moment | None = None
    session_id: str | None = None
    """The session that it was imported as."""


class ConversationImport(Request):
    agent: str
    agent_session_id: str = Field(min_length=1, max_length=200)
