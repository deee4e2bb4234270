"""Cards whose worktrees are on another machine, as after a board was pulled: each can be made here, from the card's repo and branch."""

import contextlib

from agor_jupyter.domain import errors
from agor_jupyter.domain.boards import Card
from agor_jupyter.domain.ids import ObjectId
from agor_jupyter.domain.people import Caller, Role
from agor_jupyter.domain.worktrees import Worktree, WorktreeCreate
from agor_jupyter.services.boards.boards import Boards
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.worktrees import Worktrees


class CardWorktrees:
    def __init__(self, boards: Boards, repos: Repos, worktrees: Worktrees) -> None:
        self._boards, self._repos, self._worktrees = boards, repos, worktrees

    async def create(self, caller: Caller, path: str, card_id: ObjectId, key: str) -> Worktree:
        """Make the card's worktree on its branch, which is new unless the repo has one of this name. The card stays where it lies.

        One that is here already is answered as it is.

        Errors:
            BoardNotFound, ObjectNotFound (no card), RepoNotFound, and those of `Worktrees.create`.
        """
        caller.require(Role.STEERER, "create a worktree")
        card = (await self._boards.get(caller, path)).objects.get(card_id)
        if not isinstance(card, Card):
            raise errors.ObjectNotFound(card_id)
        with contextlib.suppress(errors.WorktreeNotFound):
            return await self._worktrees.get(card.worktree)
        branches = await self._repos.branches(card.repo)
        request = WorktreeCreate(
            repo=card.repo,
            name=card.title or card.branch,
            branch=card.branch,
            existing_branch=any((one.name.partition("/")[2] if one.is_remote else one.name) == card.branch for one in branches),
            base=card.base or None,
            board=path,
        )
        return await self._worktrees.create(caller, request, key, card=card_id)
