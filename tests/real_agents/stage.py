"""Shorthand for a session of one real agent in one real worktree."""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from agor_jupyter.domain.permissions import Permission
from agor_jupyter.domain.sessions import Answer, Prompt, Session
from agor_jupyter.domain.turns import Turn
from harness.kits import Kit
from harness.model_server import ModelServer
from harness.process_table import ESCAPES, ProcessTable
from tests.scene import Scene

PATIENCE_S = 120
"""A real agent starts for seconds, longer while its neighbours do, and for a minute when one that was killed left a lock behind."""


class Stage(Scene):
    def __init__(self, *scene, kit: Kit, model: ModelServer, table: ProcessTable) -> None:
        super().__init__(*scene)
        self.kit, self.model, self.table = kit, model, table

    @property
    def folder(self) -> Path:
        return Path(self.worktree.path)

    def write(self, name: str, content: str) -> dict[str, Any]:
        return {"do": "write", "path": str(self.folder / name), "content": content}

    async def begin(self, **fields) -> Session:
        return await super().session(agent=self.kit.name, **fields)

    async def say(self, session: Session, *steps: dict[str, Any]) -> Turn:
        """Prompt it, and do not wait."""
        return await self.agor.sessions.prompt(self.caller, session.id, Prompt(text=self.kit.prompt(*steps)), self.key())

    async def play(self, session: Session, *steps: dict[str, Any], answer: str = "allow_once") -> Turn:
        """Prompt it, answer every question, and wait for the end."""
        turn = await self.say(session, *steps)
        await self.see_through(turn, answer)
        return await self.agor.turns.get(turn.id)

    async def see_through(self, turn: Turn, answer: str = "allow_once") -> list[Permission]:
        """Answer every question of the turn until it ends. Returns the questions."""
        asked: list[Permission] = []
        end = time.monotonic() + PATIENCE_S
        while not (await self.agor.turns.get(turn.id)).ended_at:
            for question in await self._open(turn):
                asked.append(question)
                option = next(option.id for option in question.options if option.kind == answer)
                await self.agor.permissions.answer(self.caller, question.id, Answer(option_id=option), self.key())
            assert time.monotonic() < end, await self.agor.turns.get(turn.id)
            await asyncio.sleep(0.02)
        return asked

    async def ask(self, turn: Turn) -> Permission:
        """Wait for the turn's question."""
        await self.until(turn, "waiting", "done", "failed", timeout=PATIENCE_S)
        [question] = await self._open(turn)
        return question

    async def _open(self, turn: Turn) -> Iterable[Permission]:
        return [one for one in await self.agor.permissions.list() if one.turn_id == turn.id]

    async def events(self, turn: Turn, kind: str | None = None) -> list[dict[str, Any]]:
        """What the transcript has of the turn."""
        session = await self.agor.sessions.get(turn.session_id)
        events = [event["body"] for event in await self.transcript(session) if event["turnId"] == turn.id]
        return [body for body in events if kind is None or body["kind"] == kind]

    async def text(self, turn: Turn) -> str:
        """All it said, and what its tools printed."""
        told = await self.events(turn)
        return "".join(
            body.get("text") or body.get("output") or "" for body in told if body["kind"] in {"text", "tool_output", "tool_call"}
        )

    async def wait_for_text(self, turn: Turn, words: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while words not in await self.text(turn):
            assert time.monotonic() < end, await self.events(turn)
            assert not (await self.agor.turns.get(turn.id)).ended_at, await self.events(turn)
            await asyncio.sleep(0.02)

    async def wait_for_escapes(self, turn: Turn) -> None:
        """Until what `process_table.escapes` starts is there."""
        end = time.monotonic() + PATIENCE_S
        while len(self.table.marked()) < ESCAPES:
            assert time.monotonic() < end, await self.events(turn)
            assert not (await self.agor.turns.get(turn.id)).ended_at, await self.events(turn)
            await asyncio.sleep(0.1)

    async def age(self) -> None:
        """Let the conversation be so old that it can be brought back."""
        if self.kit.agent.quirks.loads_next_minute:
            await asyncio.sleep(60.5 - time.time() % 60)

    async def cancelled(self, session: Session) -> Turn:
        """Cancel what runs, and wait for its end."""
        turn = await self.agor.sessions.cancel(self.caller, session.id)
        return await self.ended(turn, timeout=PATIENCE_S)
