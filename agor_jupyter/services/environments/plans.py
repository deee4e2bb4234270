"""What the repository says of a worktree's environment, and whether it may run: as it is in the worktree now.

What is as in the commit that the worktree started from may run, because an owner registered the repository. Another content needs an
owner's trust, as what agents obey does. What the commands of a file call in the worktree is not looked at.
"""

import asyncio
from dataclasses import dataclass

from agor_jupyter.documents.settings import compose, devcontainer, procfile, variants
from agor_jupyter.domain import errors
from agor_jupyter.domain.environments import Plan
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.executors.containers import Compose
from agor_jupyter.services.consent.trusts import Trusts
from agor_jupyter.services.environments.sources import VARIABLES, Found, Sources


@dataclass(frozen=True, kw_only=True)
class Planned:
    """`plan` is `None` where the repository says nothing of an environment. `reason` says why an owner has to trust it first."""

    plan: Plan | None
    needs_trust: bool = False
    reason: str | None = None


class Plans:
    def __init__(self, sources: Sources, trusts: Trusts, limits: str | None = None) -> None:
        """`limits` says which hold for what runs, for a person."""
        self._sources, self._trusts, self._compose, self._limits = sources, trusts, Compose(), limits

    async def of(self, worktree: Worktree, variant: str | None) -> Planned:
        """The variant of this name, `None`: the default one.

        Errors:
            BadSettings: the file cannot be read, or has no such variant.
        """
        found = await self._sources.find(worktree)
        if found is None:
            return Planned(plan=None)
        plan = await self._plan(worktree, found, variant)
        if found.passed_over:
            left_out = [*plan.left_out, *(f"{file} is not used, because {found.file} is" for file in found.passed_over)]
            plan = plan.replace(left_out=left_out[:100])
        if self._limits is not None and plan.services:
            plan = plan.replace(left_out=[*plan.left_out[:99], self._limits])
        reason = await self._reason(worktree, found)
        return Planned(plan=plan, needs_trust=reason is not None, reason=reason)

    async def _reason(self, worktree: Worktree, found: Found) -> str | None:
        """Why nothing of it may run yet."""
        if await self._sources.is_as_at_first(worktree, found.file, found.content):
            return None
        file = await self._trusts.judge(worktree, found.file, found.sha256)
        if file.state == "trusted":
            return None
        if file.state == "refused" and file.decided_by is not None:
            return f"{file.decided_by.name} refused {found.file} as it is in this worktree. An owner can look at it again and trust it."
        return f"{found.file} is not as in the commit that this worktree started from. An owner has to look at it and trust it first."

    async def _plan(self, worktree: Worktree, found: Found, variant: str | None) -> Plan:
        if found.marked is not None:
            plan = await asyncio.to_thread(variants.plan, found.marked, variant)
            assert plan is not None
            return plan
        if variant not in {None, variants.DEFAULT}:
            raise errors.BadSettings(found.file, f"it has no variant {str(variant)[:80]!r}; only .agor.yml has variants")
        if found.file == procfile.FILE:
            return await asyncio.to_thread(procfile.plan, found.content)
        if found.file in devcontainer.FILES:
            return await asyncio.to_thread(devcontainer.plan, found.content, found.file)
        has_variables = await self._sources.has_persons_variables(worktree)
        plan = await asyncio.to_thread(
            compose.plan,
            found.content,
            found.file,
            await self._compose.program(),
            compose.project(worktree.name, worktree.id),
            has_variables=has_variables,
        )
        return plan if has_variables else plan.replace(left_out=[*plan.left_out, _NO_VARIABLES][:100])


_NO_VARIABLES = f"{VARIABLES} is read only where it is in the commit that the worktree started from, or as in the main checkout"
