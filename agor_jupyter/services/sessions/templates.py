"""Prompts that are templates: rendered over plain names of the worktree, the repo, the session and the person, never sent raw.

What an issue, a pull request or a message to a schedule's address says comes from people outside: it is marked as theirs, and never stands
where it would be run.
"""

import re

from agor_jupyter.agents.runner import blocks
from agor_jupyter.domain import errors
from agor_jupyter.domain.issues import OUTSIDE, Issue, PullRequest, remark
from agor_jupyter.domain.people import Caller
from agor_jupyter.domain.templates import (
    BranchContext,
    Rendered,
    SessionNames,
    TemplateContext,
    issue_names,
    make_context,
    pull_request_names,
)
from agor_jupyter.executors.renderer import Renderer
from agor_jupyter.services.worktrees.issues import Issues
from agor_jupyter.services.worktrees.repos import Repos
from agor_jupyter.services.worktrees.worktrees import Worktrees
from agor_jupyter.storage import sessions
from agor_jupyter.storage.store import Store

_LINKED = re.compile(r"\b(?:issue|pull_request)\b")
_CODE = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
MESSAGE = "a message to the schedule's address"
_ESCAPED = OUTSIDE.encode("ascii", "backslashreplace").decode()
"""How the mark looks where a template shows a whole list or object."""
_SLICED = re.compile(r"\b(issue|pull_request)\s*(?:\.\s*\w+\s*)?\[")


class Templates:
    def __init__(self, store: Store, repos: Repos, worktrees: Worktrees, issues: Issues) -> None:
        self._store, self._repos, self._worktrees, self._issues = store, repos, worktrees, issues
        self._renderer = Renderer()

    async def render(self, caller: Caller, session_id: str, source: str) -> Rendered:
        """The text that a prompt of this session would be.

        Errors:
            SessionNotFound. BadTemplate: it has an unknown name, a wrong syntax, or asks for too much; with the line.
        """
        session = await self._store.read(sessions.get, session_id)
        if session is None:
            raise errors.SessionNotFound(session_id)
        worktree = await self._worktrees.get(session.worktree_id)
        repo = await self._repos.get(worktree.repo_id)
        names = SessionNames(title=session.title, agent=session.agent)
        context = make_context(worktree=worktree, repo=repo, session=names, person=caller.person)
        return Rendered(text=await self.fill(source, context))

    async def fill(self, source: str, context: TemplateContext) -> str:
        """The text. Values are never rendered again.

        Errors:
            BadTemplate. BadIssueUrl, IssueNotFound, IssueRefused, IssueUnavailable: it names an issue that cannot be read.
        """
        others = [MESSAGE] if context.slot is not None and context.slot.payload else []
        if _LINKED.search(source) is None:
            return _settled(await self._renderer.render(source, context.plain()), [], others)
        used = {name.partition(".")[0] for name in await self._renderer.names(source)}
        used |= {name for code in _CODE.findall(source) for name in _SLICED.findall(code)}  # minijinja 3.1 lists no name that is sliced
        found: list[Issue | PullRequest] = []
        if "issue" in used and context.worktree.issue_url is not None:
            found.append(await self._issues.read(context.worktree.issue_url))
            context = context.replace(issue=issue_names(found[-1]))
        if "pull_request" in used and context.worktree.pull_request_url is not None:
            pull_request = await self._issues.read_pull_request(context.worktree.pull_request_url)
            found.append(pull_request)
            context = context.replace(pull_request=pull_request_names(pull_request))
        try:
            text = await self._renderer.render(source, context.plain())
        except errors.BadTemplate as error:
            raise _explained(error, used, context) from None
        return _settled(text, found, others)

    async def name_branch(self, source: str, context: BranchContext) -> str:
        """The name of a branch that a schedule makes. Raises `BadTemplate`."""
        return await self._renderer.render(source, context.plain())

    async def close(self) -> None:
        await self._renderer.close()


def _explained(error: errors.BadTemplate, used: set[str], context: TemplateContext) -> errors.BadTemplate:
    """With the likely reason: a name of a link that the worktree has not."""
    missing = [name for name in ("issue", "pull_request") if name in used and getattr(context, name) is None]
    if not missing or error.details["hint"] or "undefined" not in error.message:
        return error
    name = missing[0]
    why = f"the worktree has no {name.replace('_', ' ')} link, so {name} is none; set the link, or write {{% if {name} %}} around it"
    return errors.BadTemplate(why, line=error.details["line"])


def _settled(text: str, found: list[Issue | PullRequest], others: list[str]) -> str:
    """Without the marks that only we read, and with a remark that says whose text it has."""
    if others:
        text = text.replace(_ESCAPED, OUTSIDE)
    if OUTSIDE not in text or not (found or others):
        return text
    if any(OUTSIDE in block.code for block in blocks.find(text)):
        what = "an issue or pull request" if found else others[0]
        instead = "Name only its number, state or url there" if found else "A schedule's script has it in AGOR_PAYLOAD, and can read it"
        raise errors.BadTemplate(f"text of {what} stands in a block that would be run. {instead}")
    text, said = text.replace(OUTSIDE, ""), remark(found, others)
    end = f"{text.rstrip()}\n\n{said}"
    is_open = blocks.find(end) != blocks.find(text.rstrip())
    return f"{said}\n\n{text}" if is_open else end
