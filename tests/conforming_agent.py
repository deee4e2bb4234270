"""An ACP agent that keeps to the protocol in any way the official schema allows. It speaks over pipes in memory, as its profile says;
run by its path with a seed it is a process that plays the profile of that seed.

What differs between agents is drawn from the schema itself: walk its unions and enumerations, and every update, option, kind and reason comes.
"""

import asyncio
import itertools
import json
import random
import sys
import types
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import acp.schema as s
from pydantic import BaseModel

Update = dict[str, Any]
_LETTERS = "abc äß\n{}/:"


class Draw:
    """Draws what a profile leaves open, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311  # for tests, and to be repeated
        self.one = self.random.choice

    def words(self) -> str:
        return "w" + "".join(self.one(_LETTERS) for _ in range(self.random.randint(1, 12)))

    def of(self, annotation: Any) -> Any:
        """A value of a type of the schema, as JSON."""
        origin, inner = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self.of(inner[0])
        if origin in (Union, types.UnionType):
            return self.of(self.one(inner))
        if origin is Literal:
            return self.one(inner)
        if origin is list:
            return [self.of(inner[0]) for _ in range(self.random.randint(0, 2))]
        if origin is dict:
            return self.one([{}, {"own": {"note": 1}}])
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return self.object(annotation)
        simple = {
            type(None): lambda: None,
            str: self.words,
            int: lambda: self.random.randint(0, 9000),
            float: lambda: self.random.random() * 9,
            bool: lambda: self.random.random() < 0.5,
        }
        return simple.get(annotation, lambda: self.one([{}, {"a": 1}, {"command": "ls -a"}, "ls -a", ["x"], None, 7]))()

    def object(self, model: type[BaseModel]) -> Update:
        """Of a model: what is optional is there, is null, or is missing."""
        fields = {known.alias or name: known for name, known in model.model_fields.items()}
        return {name: self.of(known.annotation) for name, known in fields.items() if known.is_required() or self.random.random() < 0.5}

    def profile(self) -> "Profile":
        scope = self.one(["request", "turn", "session"])
        whole = [*range(5, 60), *(f"{self.random.getrandbits(64):x}-uuid" for _ in range(60)), "", "a/b", "1", "é"]
        return Profile(
            turns=[self.turn() for _ in range(self.random.randint(1, 3))],
            scope=scope,
            cached=self.one(["beside", "inside"]),
            in_updates=scope == "request" or self.random.random() < 0.5,
            ids=self.random.sample(whole, len(whole)),
            has_modes=self.random.random() < 0.5,
        )

    def turn(self) -> "Turn":
        return Turn(
            steps=[self.one([self.update, self.update, self.ask, self.odd])() for _ in range(self.random.randint(0, 8))],
            requests=[tuple(self.random.randint(0, 3000) for _ in range(4)) for _ in range(self.random.randint(1, 3))],
            stop=self.one(STOPS),
            hangs=self.random.random() < 0.2,
        )

    def update(self) -> Update:
        return self.object(self.one(UPDATES))

    def ask(self) -> "Ask":
        call: Update = {"title": self.words(), "kind": self.one(KINDS), "rawInput": self.one([{"command": "ls -a"}, {"cmd": ["ls", "-a"]}])}
        if self.random.random() < 0.5:
            call |= {"locations": [{"path": "/w/a"}], "_meta": self.one([{}, {"own": 1}, None])}
        names = ["Yes", "Allow for this session", "Always", "Allow all tools for this session", "Never"]
        options = [{"optionId": f"o{n}", "name": self.one(names), "kind": self.one(OPTIONS)} for n in range(self.random.randint(1, 5))]
        return Ask(told=self.one(["before", "older", "later", "itself"]), call=call, options=options)

    def odd(self) -> "Odd":
        method = self.one(["_own/thing", "fs/read_text_file", "terminal/create", "elicitation/create"])
        return Odd(method=method, has_id=self.random.random() < 0.5)


MODE_ID = "https://modes/do#2"
UPDATES = get_args(s.SessionNotification.model_fields["update"].annotation)
KINDS = get_args(get_args(s.ToolCallUpdate.model_fields["kind"].annotation)[0])
STOPS = tuple(stop for stop in get_args(s.PromptResponse.model_fields["stop_reason"].annotation) if stop != "cancelled")
OPTIONS = get_args(s.PermissionOption.model_fields["kind"].annotation)


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A question. `told`: its call is told just before, in the turn before, a moment later, or by the question itself."""

    told: Literal["before", "older", "later", "itself"]
    call: Update
    options: list[Update]


@dataclass(frozen=True)
class Together:
    """Questions that are open at the same time."""

    asks: list[Ask]


@dataclass(frozen=True, kw_only=True)
class Odd:
    """Something that no client has to know."""

    method: str
    has_id: bool


@dataclass(frozen=True, kw_only=True)
class Turn:
    steps: list[Any]
    requests: list[tuple[int, int, int, int]]
    """Of the model: new, written, read from a cache, written to it."""
    stop: str
    hangs: bool
    """It does not end by itself, only when it is told to."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    turns: list[Turn]
    scope: Literal["request", "turn", "session"]
    cached: Literal["beside", "inside"]
    in_updates: bool
    ids: list[int | str]
    has_modes: bool
    answers_late: bool = False
    """What it is asked while a turn runs it answers after the turn; else at once, before what it was asked first."""


class Pipe:
    """One direction, in memory."""

    def __init__(self) -> None:
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()

    def write(self, chunk: bytes) -> None:
        self._chunks.put_nowait(chunk)

    async def drain(self) -> None:
        pass

    async def read(self, _count: int = -1) -> bytes:
        return await self._chunks.get()


@dataclass
class InMemory:
    """A process that is none; the agent is a task."""

    agent: "ConformingAgent"
    pid: int = 1
    start_ticks: int = 1
    exited: asyncio.Event = field(default_factory=asyncio.Event)
    exit_code: int | None = None

    @property
    def stdin(self) -> Pipe:
        return self.agent.given

    @property
    def stdout(self) -> Pipe:
        return self.agent.said

    def stderr_tail(self) -> str:
        return ""

    async def baseline(self):
        return set()

    async def after_cancel(self, _baseline):
        return set()

    async def stop(self, _grace_s: float = 0):
        self.agent.task.cancel()
        await asyncio.gather(self.agent.task, return_exceptions=True)
        self.exited.set()
        return set()


class ConformingAgent:
    def __init__(self, profile: Profile, given: Any = None, said: Any = None) -> None:
        self.profile, self.given, self.said = profile, given or Pipe(), said or Pipe()
        self._ids = itertools.chain(profile.ids, (f"more-{n}" for n in itertools.count()))
        self._waiting: dict[int | str, asyncio.Future] = {}
        self._turns = iter(profile.turns)
        self._cancelled, self.hangs = asyncio.Event(), asyncio.Event()
        steps = [step for turn in profile.turns for step in turn.steps]
        asks = [ask for step in steps for ask in (step.asks if isinstance(step, Together) else [step]) if isinstance(ask, Ask)]
        self._call_ids = {id(ask): f"call-{number}" for number, ask in enumerate(asks)}
        self._played = 0
        self._settings: list[int] = []
        self.replied: list[int] = []
        """To which of our requests, in this order."""
        self.asked_to_set = asyncio.Event()
        self.answers: list[tuple[Ask, Update]] = []
        self.refused: list[Update] = []
        self.truth = self._turn_sum = (0, 0, 0, 0)
        self.task: asyncio.Task = asyncio.create_task(self._serve())

    async def spawn(self, *_args) -> InMemory:
        return InMemory(self)

    # What goes over the wire

    def _send(self, **message) -> None:
        if "result" in message:
            self.replied.append(message["id"])
        self.said.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def _update(self, update: Update) -> None:
        params = {"sessionId": "c-1", "update": update}
        s.SessionNotification.model_validate(params)
        self._send(method="session/update", params=params)

    async def _request(self, method: str, params: Update) -> Update:
        number = next(self._ids)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        self._send(id=number, method=method, params=params)
        return await self._waiting[number]

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as turns:
            rest = b""
            while received := await self.given.read(65_536):
                *lines, rest = (rest + received).split(b"\n")
                for line in lines:
                    message = json.loads(line)
                    match message.get("method"):
                        case None:
                            self._waiting[message["id"]].set_result(message)
                        case "initialize":
                            self._send(id=message["id"], result={"protocolVersion": 1, "agentCapabilities": {}, "authMethods": []})
                        case "session/new":
                            known = [{"id": "https://modes/ask#1", "name": "Ask"}, {"id": MODE_ID, "name": "Do"}]
                            modes = {"currentModeId": "https://modes/ask#1", "availableModes": known}
                            self._send(
                                id=message["id"], result={"sessionId": "c-1", **({"modes": modes} if self.profile.has_modes else {})}
                            )
                        case "session/set_mode":
                            self._settings.append(message["id"])
                            self.asked_to_set.set()
                            if not self.profile.answers_late or self._cancelled.is_set():
                                self._answer_settings()
                        case "session/cancel":
                            self._cancelled.set()
                        case "session/prompt":
                            self._cancelled.clear()
                            turns.create_task(self._play(message["id"]))

    async def _play(self, number: int) -> None:
        turn = next(self._turns)
        self._played += 1
        for step in turn.steps:
            if isinstance(step, Ask):
                await self._ask(step)
            elif isinstance(step, Together):
                await asyncio.gather(*map(self._ask, step.asks))
            elif isinstance(step, Odd):
                await self._do_odd(step)
            else:
                self._update(step)
        self._turn_sum = (0, 0, 0, 0)
        for counts in turn.requests:
            self.truth, self._turn_sum = (tuple(map(sum, zip(one, counts, strict=True))) for one in (self.truth, self._turn_sum))
            if self.profile.in_updates:
                self._update({"sessionUpdate": "usage_update", "used": 1, "size": 2, "_meta": {"own": {"tokens": self._counts(counts)}}})
        for later in self.profile.turns[self._played : self._played + 1]:
            for ask in later.steps:
                if isinstance(ask, Ask) and ask.told == "older":
                    self._update(self._call(ask))
        if turn.hangs:
            self.hangs.set()
            await self._cancelled.wait()
            self.hangs.clear()
        answer: Update = {"stopReason": "cancelled" if turn.hangs else turn.stop}
        if not self.profile.in_updates:
            answer["usage"] = self._counts(turn.requests[-1])
        s.PromptResponse.model_validate(answer)
        self._send(id=number, result=answer)
        self._answer_settings()

    def _answer_settings(self) -> None:
        while self._settings:
            self._send(id=self._settings.pop(), result={})

    def _counts(self, last: tuple) -> Update:
        new, out, read, written = {"request": last, "turn": self._turn_sum, "session": self.truth}[self.profile.scope]
        given = new + read + written if self.profile.cached == "inside" else new
        total = new + out + read + written
        return {"inputTokens": given, "outputTokens": out, "cachedReadTokens": read, "cachedWriteTokens": written, "totalTokens": total}

    async def _ask(self, ask: Ask) -> None:
        call_id, whole = self._call_ids[id(ask)], self._call(ask)
        if ask.told == "before" or (ask.told == "older" and self._played == 1):
            self._update(whole)
        named = {"toolCallId": call_id, **(ask.call if ask.told == "itself" else {})}
        params = {"sessionId": "c-1", "toolCall": named, "options": ask.options}
        s.RequestPermissionRequest.model_validate(params)
        asking = asyncio.create_task(self._request("session/request_permission", params))
        if ask.told == "later":
            await asyncio.sleep(0)
            self._update(whole)
        self.answers.append((ask, (await asking)["result"]["outcome"]))

    def _call(self, ask: Ask) -> Update:
        return {"sessionUpdate": "tool_call", "toolCallId": self._call_ids[id(ask)], "status": "pending", **ask.call}

    async def _do_odd(self, odd: Odd) -> None:
        if odd.has_id:
            self.refused.append(await self._request(odd.method, {"sessionId": "c-1"}))
        else:
            self._send(method=odd.method, params={"any": None})


class Output:
    """Standard output, written at once."""

    def write(self, chunk: bytes) -> None:
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()


async def main(seed: int) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    agent = ConformingAgent(Draw(seed).profile(), reader, Output())
    await agent.task


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
