"""Which commands a zone runs by itself, so that an owner can allow exactly these beforehand."""

from agor_jupyter.agents.runner import blocks
from agor_jupyter.domain import words
from agor_jupyter.domain.rules import Allowance
from agor_jupyter.domain.zones import ZonePolicy
from agor_jupyter.services.zones import gates


def of(policy: ZonePolicy, runner: str | None) -> list[Allowance]:
    """Of gates, and of the blocks of a prompt for `runner`, the agent that runs blocks. A block with names of a template is of no use to a
    rule: what will be in it is not known.
    """
    if runner is None:
        return []
    found: list[Allowance] = []
    for gate in policy.gates:
        if gate.kind == "command":
            found.append(Allowance(agent=runner, command=_as_block(gate.run)))
        elif gate.kind == "notebook":
            found.append(Allowance(agent=runner, prefix=gates.notebook_prefix(gate)))
    if policy.agent == runner:
        for block in blocks.find(policy.prompt):
            if not any(mark in block.code for mark in ("{{", "{%", "{#")):
                text = words.program(block.language, block.code) if block.language == "python" else block.code
                found.append(Allowance(agent=runner, command=text))
    return list({one.model_dump_json(): one for one in found}.values())


def _as_block(line: str) -> str:
    """As the agent will say it."""
    return blocks.find(gates.fenced(line))[0].code if line.strip() else line
