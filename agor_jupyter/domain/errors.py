"""Every error a user can meet.

Each has a stable `code`, knows its subject, and makes its own sentence: what happened, and what would work. The file is long because it is
one table: who meets a code looks it up here, and who adds an error sees the sentences beside which it will be read.

    AgorError
     ├─ Invalid (ValueError)              400  the input is wrong as it stands
     │   ├─ BadName, BadUrl, BadPath, BadRequest, BadDocument, BadSettings, BadOption, BadIssueUrl, BadAddress, BadTemplate (422)
     │   ├─ BadNotebook
     ├─ NotAllowed (PermissionError)      403
     ├─ Refused (PermissionError)         403  not let in at all; raised by a client
     ├─ NotFound (LookupError)            404
     │   ├─ RepoNotFound, WorktreeNotFound, SessionNotFound, TurnNotFound, DataNotFound, FiringNotFound, PermissionNotFound
     │   ├─ EnvironmentNotFound, ServiceNotFound, LinkNotFound
     │   ├─ BoardNotFound, ObjectNotFound, AgentNotFound, RefNotFound, FileMissing
     │   ├─ VariableNotFound, TokenNotFound, AttachmentNotFound, RuleNotFound, BudgetNotFound, ConversationNotFound
     │   ├─ IssueNotFound, NoIssueLink, ScheduleNotFound, SlotNotFound, NotebookNotFound, CellNotFound, DestinationNotFound
     ├─ Conflict (RuntimeError)           409  right in itself, but not now
     │   ├─ AlreadyExists, BranchTaken, WouldLoseWork, WorktreeNotReady, SessionBusy
     │   ├─ TurnNotOpen, FiringNotOpen, SlotNotOpen, CardElsewhere, AlreadyAnswered, KeyReused, CardInUse, AgentNotInstalled
     │   ├─ NotARepository
     │   ├─ UnreadableRepository, BranchInTheWay, NoSuchWay, TreeFull, WorktreeInUse, WorkNotKept
     │   ├─ EnvironmentUntrusted, EnvironmentBusy, EnvironmentFailed, KernelNotTrusted, KernelToolMissing
     │   ├─ CellChanged, NotebookBusy, RunRefused
     │   ├─ DataFailed, FiringFailed, BudgetExhausted, NotInstallable, Untrusted, ProjectFileChanged, ImagesNotTaken, SearchUnavailable
     └─ Unavailable (OSError)             503  try again later, or repair the machine
         ├─ StorageBusy, StorageFull (507), StorageBroken, DataInUse, DataOnNetwork, AgentFailed, GitFailed
         ├─ Starting, InstallFailed, AgentSignedOut, SandboxFailed, SecretsLocked, MissingObjects
         ├─ Misconfigured, NotebookGate, NoPortFree, IssueUnavailable, IssueRefused, KernelFailed
         └─ ServerGone                         no answer; raised by a client
"""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

from agor_jupyter.domain.text import quoted


class _Refusal(Protocol):
    """`pydantic.ValidationError`. Named by its shape, so that a server's start does not load Pydantic for its errors."""

    def errors(self, *, include_url: bool, include_input: bool) -> Sequence[Any]: ...


def _list(names: Sequence[str], limit: int = 8) -> str:
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def problems(error: _Refusal) -> list[str]:
    """One line for each field that Pydantic refused; what was sent is not repeated."""
    lines = []
    for problem in error.errors(include_url=False, include_input=False)[:20]:
        where = ".".join(str(part) for part in problem["loc"])
        what = problem["msg"].removeprefix("Value error, ")
        what = what[:1].lower() + what[1:]
        lines.append(f"{where}: {what}" if where else what)
    return lines


class AgorError(Exception):
    """The root. `details` is plain JSON for programs; the message is for people."""

    code = "error"

    def __init__(self, message: str, *, subject: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.subject = subject
        self.details: Mapping[str, Any] = details


class Invalid(AgorError, ValueError):
    code = "invalid"


class NotAllowed(AgorError, PermissionError):
    code = "not_allowed"

    def __init__(self, *, who: str, action: str, needs: str) -> None:
        super().__init__(f"{who} may not {action}. Ask an owner for the role “{needs}”.", needs=needs)


class Refused(AgorError, PermissionError):
    """The server did not let the client in."""

    code = "forbidden"

    def __init__(self, url: str, status: int) -> None:
        super().__init__(f"The server at {url} denied access (status {status}). Check its address and token.", subject=url, status=status)


class NotFound(AgorError, LookupError):
    code = "not_found"


class Conflict(AgorError, RuntimeError):
    code = "conflict"


class Unavailable(AgorError, OSError):
    code = "unavailable"


class BadRequest(Invalid):
    """The body or a parameter does not fit its model. `problems` has one line for each field."""

    code = "bad_request"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(f"The request is not valid: {'; '.join(problems)}.", problems=list(problems))

    @classmethod
    def of(cls, error: _Refusal) -> Self:
        return cls(problems(error))


class BadName(Invalid):
    """A branch, ref, slug or title that git, a file system or a reader would misread."""

    code = "bad_name"

    def __init__(self, what: str, name: str, why: str, suggestion: str | None = None) -> None:
        hint = f" “{suggestion}” would work." if suggestion else ""
        super().__init__(f"{what} {name[:80]!r} cannot be used: {why}.{hint}", subject=name[:200], suggestion=suggestion)


class BadUrl(Invalid):
    code = "bad_url"

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"The URL {url[:120]!r} cannot be used: {why}. https://, ssh:// and git@host:path work.", subject=url[:200])


class BadPath(Invalid):
    code = "bad_path"

    def __init__(self, path: str, why: str, allowed: Sequence[str] = ()) -> None:
        hint = f" Allowed: {_list(allowed)}." if allowed else ""
        super().__init__(f"The path {path[:200]!r} cannot be used: {why}.{hint}", subject=path[:300], allowed=list(allowed))


class BadDocument(Invalid):
    code = "bad_document"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"The board {path!r} cannot be read: {why}. The file was left as it is.", subject=path)


class BadNotebook(Invalid):
    code = "bad_notebook"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"The notebook {path[:200]!r} cannot be used: {why}. The file was left as it is.", subject=path[:300])


class BadTemplate(Invalid):
    """A template that does not render. It is never sent as raw text instead."""

    code = "bad_template"

    def __init__(self, why: str, *, line: int | None = None, hint: str | None = None) -> None:
        where = f" (line {line})" if line else ""
        suggestion = f" Did you mean {hint}?" if hint else ""
        super().__init__(f"The template cannot be rendered: {why}{where}.{suggestion} Nothing was sent.", line=line, hint=hint)


class BadIssueUrl(Invalid):
    code = "bad_issue_url"

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"The address {url[:120]!r} cannot be used: {why}.", subject=url[:200])


class BadAddress(Invalid):
    """The address of a destination. It is a secret, so it is not repeated."""

    code = "bad_address"

    def __init__(self, why: str) -> None:
        super().__init__(f"Nothing can be sent to this address: {why}.")


class BadSettings(Invalid):
    code = "bad_settings"

    def __init__(self, file: str, why: str) -> None:
        end = "" if why.endswith("?") else "."
        super().__init__(f"{file} cannot be used: {why}{end} Fix it, commit it, and try again.", subject=file, why=why)


class BadOption(Invalid):
    code = "bad_option"

    def __init__(self, agent: str, option: str, value: str | None, known: Sequence[str], why: str = "") -> None:
        verb = "did not accept" if why else "does not offer"
        what = f"has no option {option[:80]!r}" if value is None else f"{verb} {value[:80]!r} as its {option[:80]}"
        hint = f" It offers: {_list(known)}." if known else ""
        super().__init__(f"Agent {agent!r} {what}{f': {why}' if why else '.'}{hint}", subject=option[:200], known=list(known[:50]))


class _Missing(NotFound):
    noun = "Thing"

    def __init__(self, name: str, known: Sequence[str] = ()) -> None:
        hint = f" Available: {_list(known)}." if known else ""
        super().__init__(f"{self.noun} {name[:80]!r} does not exist.{hint}", subject=name[:200], known=list(known[:50]))


class RepoNotFound(_Missing):
    code, noun = "repo_not_found", "Repo"


class WorktreeNotFound(_Missing):
    code, noun = "worktree_not_found", "Worktree"


class SessionNotFound(_Missing):
    code, noun = "session_not_found", "Session"


class TurnNotFound(_Missing):
    code, noun = "turn_not_found", "Turn"


class DataNotFound(_Missing):
    code, noun = "data_not_found", "Data"


class FiringNotFound(_Missing):
    code, noun = "firing_not_found", "Firing"


class EnvironmentNotFound(NotFound):
    code = "environment_not_found"

    def __init__(self, worktree: str) -> None:
        super().__init__(
            f"The repository of worktree {worktree!r} describes no environment. Add a section `environment` to its .agor.yml.",
            subject=worktree,
        )


class ServiceNotFound(_Missing):
    code, noun = "service_not_found", "Service"


class LinkNotFound(_Missing):
    code, noun = "link_not_found", "Link"


class ScheduleNotFound(_Missing):
    code, noun = "schedule_not_found", "Schedule"


class SlotNotFound(_Missing):
    code, noun = "slot_not_found", "Slot"


class DestinationNotFound(_Missing):
    code, noun = "destination_not_found", "Destination"


class PermissionNotFound(_Missing):
    code, noun = "permission_not_found", "Permission"


class BoardNotFound(_Missing):
    code, noun = "board_not_found", "Board"


class AgentNotFound(_Missing):
    code, noun = "agent_not_found", "Agent"


class ObjectNotFound(_Missing):
    code, noun = "object_not_found", "Board object"


class FileMissing(_Missing):
    code, noun = "file_not_found", "File"


class NotebookNotFound(_Missing):
    code, noun = "notebook_not_found", "Notebook"


class CellNotFound(_Missing):
    code, noun = "cell_not_found", "Cell"


class AttachmentNotFound(_Missing):
    code, noun = "attachment_not_found", "Attachment"


class ImagesNotTaken(Conflict):
    code = "images_not_taken"

    def __init__(self, agent: str) -> None:
        super().__init__(f"{agent} does not accept pictures. Remove them, or prompt an agent that does. Nothing was sent.", subject=agent)


class SearchUnavailable(Conflict):
    code = "search_unavailable"

    def __init__(self) -> None:
        super().__init__("What was said can be searched only where the database is SQLite. Leave database_url empty to have one.")


class TokenNotFound(_Missing):
    code, noun = "token_not_found", "Token"


class VariableNotFound(_Missing):
    code, noun = "variable_not_found", "Variable"


class RuleNotFound(_Missing):
    code, noun = "rule_not_found", "Rule"


class BudgetNotFound(_Missing):
    code, noun = "budget_not_found", "Budget"


class ConversationNotFound(_Missing):
    code, noun = "conversation_not_found", "Conversation"


class IssueNotFound(NotFound):
    code = "issue_not_found"

    def __init__(self, url: str, *, has_token: bool) -> None:
        may = "or the token in issue_providers may not read it" if has_token else "or it can be read only with a token in issue_providers"
        super().__init__(f"{url} does not exist, {may}. Correct or clear the worktree's link.", subject=url)


class NoIssueLink(NotFound):
    code = "no_issue_link"

    def __init__(self, worktree: str, what: str) -> None:
        super().__init__(f"Worktree {worktree!r} has no link to {'an' if what[0] == 'i' else 'a'} {what}. Set one first.", subject=worktree)


class RefNotFound(NotFound):
    code = "ref_not_found"

    def __init__(self, ref: str, repo: str, near: Sequence[str] = ()) -> None:
        hint = f" Did you mean {_list(near)}?" if near else ""
        super().__init__(f"Repo {repo!r} has no branch, tag or commit {ref[:80]!r}.{hint}", subject=ref[:200], near=list(near))


class NotARepository(Conflict):
    code = "not_a_repository"

    def __init__(self, path: str) -> None:
        super().__init__(f"{path!r} is not a git repository. Run `git init` there, or choose a folder that is one.", subject=path)


class UnreadableRepository(Conflict):
    """It is a repository, and git does not take it: mostly one that a newer git made."""

    code = "unreadable_repository"

    def __init__(self, path: str, why: str, remedy: str) -> None:
        super().__init__(f"The git repository {path!r} cannot be used: {why}. {remedy}", subject=path)


class AlreadyExists(Conflict):
    code = "already_exists"

    def __init__(self, noun: str, name: str, hint: str = "Choose another name.", *, known: str | None = None) -> None:
        super().__init__(f"{noun} {name!r} already exists. {hint}", subject=name, known=known)


class BranchTaken(Conflict):
    code = "branch_taken"

    def __init__(self, branch: str, where: str) -> None:
        super().__init__(
            f"Branch {branch!r} is checked out in {where}. Nothing was started. Use a new branch name, or work in that folder.",
            subject=branch,
            where=where,
        )


class BranchInTheWay(Conflict):
    """Git keeps no branch `a` beside a branch `a/b`."""

    code = "branch_in_the_way"

    def __init__(self, branch: str, other: str, suggestion: str | None = None) -> None:
        hint = f" “{suggestion}” would work." if suggestion else " Choose another name."
        super().__init__(
            f"Branch {branch!r} cannot exist beside branch {other!r}: for git, {min(branch, other, key=len)!r} would be both a branch and "
            f"a folder of branches. Nothing was created.{hint}",
            subject=branch,
            other=other,
            suggestion=suggestion,
        )


class WouldLoseWork(Conflict):
    """`losses` says line by line what would be lost. What is live cannot be forced."""

    code = "would_lose_work"

    def __init__(self, worktree: str, losses: Sequence[str], *, action: str = "removed", is_live: bool = False) -> None:
        way = "Cancel its turns first." if is_live else "Commit or push it, archive instead, or pass force=True."
        super().__init__(
            f"Worktree {worktree!r} was not {action}, because this would be lost: {_list(losses)}. {way}",
            subject=worktree,
            losses=list(losses),
        )


class WorktreeNotReady(Conflict):
    code = "worktree_not_ready"

    def __init__(self, name: str, state: str, reason: str | None = None) -> None:
        because = f" ({reason.rstrip('.')})" if reason else ""
        super().__init__(f"Worktree {name!r} is {state}{because}. A session needs one that is ready.", subject=name, state=state)


class NoSuchWay(Conflict):
    """What a person wants to do about a worktree is not offered, because it would not help as it is now."""

    code = "no_such_way"

    def __init__(self, worktree: str, kind: str, offered: Sequence[str]) -> None:
        now = f"Available now: {_list(offered)}." if offered else "Nothing is wrong with it right now."
        super().__init__(f"{kind[:80]!r} is not available for worktree {worktree!r}. {now}", subject=worktree, offered=list(offered))


class SessionBusy(Conflict):
    code = "session_busy"

    def __init__(self, session: str, why: str) -> None:
        super().__init__(f"Session {session!r} is busy: {why}.", subject=session)


class TurnNotOpen(Conflict):
    """A command that this turn's state does not take."""

    code = "turn_not_open"

    def __init__(self, turn: str, state: str, action: str) -> None:
        super().__init__(f"Turn {turn!r} is {state} and cannot be {action}.", subject=turn, state=state)


class FiringNotOpen(Conflict):
    """A command that this firing's state does not take."""

    code = "firing_not_open"

    def __init__(self, zone: str, firing: str, state: str, action: str) -> None:
        super().__init__(f"The firing of zone {zone!r} is {state} and cannot be {action}.", subject=firing, state=state)


class SlotNotOpen(Conflict):
    """A command that this slot's state does not take."""

    code = "slot_not_open"

    def __init__(self, schedule: str, slot: str, state: str, action: str) -> None:
        super().__init__(f"This slot of schedule {schedule!r} is {state} and cannot be {action}.", subject=slot, state=state)


class CardElsewhere(Conflict):
    """The card is not where this command needs it."""

    code = "card_elsewhere"

    def __init__(self, worktree: str, why: str, then: str) -> None:
        super().__init__(f"The card of worktree {worktree!r} {why}. {then}", subject=worktree)


class NotebookGate(Unavailable):
    """A gate runs a notebook, and papermill is not installed."""

    code = "papermill_missing"

    def __init__(self, zone: str) -> None:
        super().__init__(
            f"Zone {zone!r} checks with a notebook, and papermill is not installed beside the server. Nothing was started. "
            "Install it with `pip install 'agor-jupyter[zones]'`.",
            subject=zone,
        )


class AlreadyAnswered(Conflict):
    code = "already_answered"

    def __init__(self, permission: str, state: str, by: str | None) -> None:
        who = f" by {by}" if by else ""
        super().__init__(f"This question is no longer open: {state}{who}.", subject=permission, state=state, by=by)


class KeyReused(Conflict):
    code = "key_reused"

    def __init__(self, key: str) -> None:
        super().__init__(f"The command id {key!r} was already used for another command. Send a new one.", subject=key)


class CardInUse(Conflict):
    code = "card_in_use"

    def __init__(self, worktree: str) -> None:
        super().__init__(
            f"This card belongs to worktree {worktree!r}, which is on this board. Archive or remove the worktree, or "
            "move it to another board.",
            subject=worktree,
        )


class CellChanged(Conflict):
    """Somebody else changed a cell after it was read."""

    code = "cell_changed"

    def __init__(self, cell_id: str, path: str) -> None:
        super().__init__(
            f"The cell {cell_id[:80]!r} of {path[:200]!r} is not as you saw it: somebody changed it. Nothing was done. Read it again.",
            subject=cell_id[:200],
        )


class NotebookBusy(Conflict):
    """The notebook, or its kernel, is at work."""

    code = "notebook_busy"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path[:200]!r} is busy: {why}. Nothing was done. Try again in a moment.", subject=path[:300])


class RunRefused(Conflict):
    """A cell was not run, as nobody said yes to it."""

    code = "run_refused"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"No cell of {path[:200]!r} was run: {why}", subject=path[:300])


class AgentNotInstalled(Conflict):
    code = "agent_not_installed"

    def __init__(self, agent: str, command: str, install: str | None) -> None:
        hint = f" Install it with: {install}." if install else " Install it, or fix its command in the configuration."
        super().__init__(f"Agent {agent!r} is not installed: {command!r} was not found.{hint}", subject=agent, install=install)


class NotInstallable(Conflict):
    """No installation by the server is possible: ever, or on this machine."""

    code = "not_installable"

    def __init__(self, agent: str, why: str) -> None:
        super().__init__(f"Agent {agent!r} cannot be installed by this server: {why}.", subject=agent)


class BudgetExhausted(Conflict):
    """A hard limit was reached: nothing starts until somebody raises it."""

    code = "budget_exhausted"

    def __init__(
        self,
        scope: str,
        subject: str,
        *,
        spent_usd: float,
        hard_usd: float,
        name: str | None = None,
        then: str = "Nothing was started. Raise it, then send again.",
    ) -> None:
        super().__init__(
            f"The budget of {scope} {name or subject!r} is used up: ${spent_usd:.2f} of ${hard_usd:.2f}. {then}",
            subject=subject,
            scope=scope,
            spent_usd=spent_usd,
            hard_usd=hard_usd,
        )


class TreeFull(Conflict):
    """A tree of sessions has limits."""

    code = "tree_full"

    def __init__(self, title: str, why: str) -> None:
        super().__init__(f"“{quoted(title)}” cannot start another session below it: {why}. Nothing was started.", subject=title[:200])


class WorktreeInUse(Conflict):
    """Only where the server's owner wants one session at a time in a worktree."""

    code = "worktree_in_use"

    def __init__(self, worktree: str, titles: Sequence[str]) -> None:
        who = _list([f"“{quoted(title)}”" for title in titles], 3)
        super().__init__(
            f"{who} {'works' if len(titles) == 1 else 'work'} in worktree {worktree!r}, and here only one session at a time may. "
            "Wait for its end, or work in a worktree of your own. Nothing was sent.",
            subject=worktree,
        )


class WorkNotKept(Conflict):
    """What a worktree held after a turn cannot be had again."""

    code = "work_not_kept"

    def __init__(self, number: int, why: str) -> None:
        super().__init__(
            f"What was not committed after turn {number} cannot be restored: {why}. Fork at the last turn, or take only what was "
            "committed, with carry=False. Nothing was made.",
            turn=number,
        )


class Starting(Unavailable):
    code = "starting"

    def __init__(self) -> None:
        super().__init__("The server is still starting. Try again in a second.")


class StorageBusy(Unavailable):
    code = "storage_busy"

    def __init__(self) -> None:
        super().__init__("The database is locked by another program. Nothing was changed. Try again in a few seconds.")


class StorageFull(Unavailable):
    code = "storage_full"

    def __init__(self, where: str = "") -> None:
        super().__init__(
            f"The disk is full{f' at {where}' if where else ''}. Nothing was changed, and everything already stored is safe. "
            "Free some space, then try again."
        )


class StorageBroken(Unavailable):
    code = "storage_broken"

    def __init__(self, why: str) -> None:
        super().__init__(f"The database could not be used: {why}. Nothing was changed.")


class DataInUse(Unavailable):
    code = "data_in_use"

    def __init__(self, data_dir: str, pid: int | None, url: str | None) -> None:
        who = f" by the server {url or ''} (pid {pid})" if pid else " by another server"
        super().__init__(
            f"The data folder {data_dir!r} is in use{who}. Use that server, stop it, or give this one its own folder with AGOR_DATA_DIR.",
            subject=data_dir,
            pid=pid,
            url=url,
        )


class DataOnNetwork(Unavailable):
    code = "data_on_network"

    def __init__(self, data_dir: str, kind: str, mount: str) -> None:
        super().__init__(
            f"The data folder {data_dir!r} is on a network file system ({kind}, mounted at {mount}), where SQLite loses data. "
            "Nothing was written. Start again with a folder on a local disk, for example: AGOR_DATA_DIR=/var/tmp/agor-$USER jupyter lab. "
            "Boards and repositories stay where they are; sessions, transcripts and worktrees are then kept only on this machine.",
            subject=data_dir,
            kind=kind,
            mount=mount,
        )


class AgentFailed(Unavailable):
    """`stderr` is masked; its end is quoted."""

    code = "agent_failed"
    _QUOTED = 400

    def __init__(self, agent: str, why: str, stderr: str = "") -> None:
        last = stderr.strip()
        if len(last) > self._QUOTED:  # from the beginning of a line
            last = last[-self._QUOTED :].partition("\n")[2] or last[-self._QUOTED :]
        tail = f" Its last output: {last}" if last else ""
        super().__init__(f"Agent {agent!r} failed: {why}.{tail}", subject=agent)


class Untrusted(Conflict):
    code = "untrusted"

    def __init__(self, agent: str, worktree: str, paths: Sequence[str]) -> None:
        super().__init__(
            f"{agent} cannot be kept from loading {', '.join(paths[:5])}{' and others' if len(paths) > 5 else ''}, which nobody trusts. "
            f"Nothing was started. `jupyter agor trust list {worktree}` shows the files; an owner can trust them.",
            subject=worktree,
            paths=list(paths[:50]),
        )


class EnvironmentUntrusted(Conflict):
    code = "environment_untrusted"

    def __init__(self, worktree: str, reason: str) -> None:
        super().__init__(f"{reason} Nothing was started.", subject=worktree)


class EnvironmentFailed(Conflict):
    code = "environment_failed"

    def __init__(self, worktree: str, reason: str) -> None:
        super().__init__(f"The environment of {worktree!r} is not healthy. {reason}", subject=worktree)


class EnvironmentBusy(Conflict):
    code = "environment_busy"

    def __init__(self, worktree: str, state: str, action: str) -> None:
        super().__init__(
            f"The environment of {worktree!r} is {state} and cannot be {action} now. Wait until it has ended.", subject=worktree
        )


class ProjectFileChanged(Conflict):
    code = "project_file_changed"

    def __init__(self, worktree: str, paths: Sequence[str]) -> None:
        super().__init__(
            f"In worktree {worktree!r} these files changed since you reviewed them: {', '.join(paths[:5])}. Nothing was decided. "
            "Review them again.",
            subject=worktree,
            paths=list(paths[:50]),
        )


class AgentSignedOut(Unavailable):
    """The agent runs, and wants a sign-in or a key before it begins."""

    code = "auth_required"

    def __init__(self, agent: str, why: str) -> None:
        super().__init__(
            f"Agent {agent!r} needs you to sign in: {why.rstrip('.')}. "
            f"`jupyter agor agent show {agent}` says how, and which variable can hold a key.",
            subject=agent,
        )


class InstallFailed(Unavailable):
    code = "install_failed"

    def __init__(self, agent: str, why: str) -> None:
        super().__init__(f"Agent {agent!r} could not be installed: {why.rstrip('.')}. Nothing was changed.", subject=agent, why=why)


class Misconfigured(Unavailable):
    """The server's configuration has a value that cannot be used. `problems` has one line for each."""

    code = "misconfigured"

    def __init__(self, trait: str, problems: Sequence[str]) -> None:
        what = "; ".join(problems)
        super().__init__(f"{trait} cannot be used: {what}. Correct the configuration, and start the server again.", subject=trait)


class NoPortFree(Unavailable):
    code = "no_port_free"

    def __init__(self, first: int, last: int, wanted: int) -> None:
        super().__init__(
            f"{wanted} more ports are needed, and too few of {first} to {last} are free. Stop or archive worktrees that have ports, "
            "or configure a wider range (AgorApp.environment_ports)."
        )


class DataFailed(Conflict):
    code = "data_failed"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"The data {name!r} could not be made: {why.rstrip('.')}.", subject=name, why=why)


class FiringFailed(Conflict):
    """Raised by a client that waits for a card."""

    code = "firing_failed"

    def __init__(self, zone: str, why: str) -> None:
        super().__init__(f"Zone {zone!r} did not pass the card on: {why.rstrip('.')}.", subject=zone, why=why)


class IssueUnavailable(Unavailable):
    """An issue's host does not answer now, or not with what can be used."""

    code = "issue_unavailable"

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host} could not be asked: {why.rstrip('.')}.", subject=host, why=why)


class IssueRefused(Unavailable):
    """An issue's host does not accept what this server says of itself."""

    code = "issue_refused"

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host} refused to answer: {why.rstrip('.')}.", subject=host)


class KernelNotTrusted(Conflict):
    """Installing packages runs code, so what an agent may have changed needs an owner's trust."""

    code = "kernel_not_trusted"

    def __init__(self, worktree: str, files: Sequence[str]) -> None:
        super().__init__(
            f"The kernel of {worktree!r} would be made from {_list(files)}, not as in the commit that the worktree started from. "
            f"An owner has to look at that and trust it: `jupyter agor trust add {shlex.join([worktree, *files])}`.",
            subject=worktree,
            files=list(files),
        )


class KernelToolMissing(Conflict):
    code = "kernel_tool_missing"

    def __init__(self) -> None:
        super().__init__("A worktree's kernel needs uv: pip install 'agor-jupyter[kernels]' in the server's environment, then try again.")


class KernelFailed(Unavailable):
    """What `uv` said is quoted."""

    code = "kernel_failed"

    def __init__(self, worktree: str, step: str, why: str) -> None:
        super().__init__(f"The kernel of {worktree!r} could not be made: {step}: {quoted(why)[-1500:].rstrip('.')}.", subject=worktree)


class SandboxFailed(Unavailable):
    """A sandbox is required and cannot be had, or could not be set up."""

    code = "sandbox_failed"

    def __init__(self, why: str) -> None:
        super().__init__(f"The sandbox could not be created: {why}. No agent was started.")


class SecretsLocked(Unavailable):
    """The key that variables are encrypted with is missing or does not fit."""

    code = "secrets_locked"

    def __init__(self, why: str) -> None:
        super().__init__(f"The stored variables cannot be read: {why}. Restore the key, or set the variables again.")


class GitFailed(Unavailable):
    """git ended with an error that has no better name. What it said is quoted: plain, cut, and without credentials."""

    code = "git_failed"

    def __init__(self, action: str, why: str) -> None:
        super().__init__(f"git could not {action}: {quoted(why)[-600:]}", subject=action)


class MissingObjects(Unavailable):
    """Of a partial clone."""

    code = "missing_objects"

    def __init__(self, path: str, count: int, what: str, why: str) -> None:
        objects = f"{count} object{'' if count == 1 else 's'}"
        super().__init__(
            f"{path!r} is a partial clone, and {objects} needed to {what} {'is' if count == 1 else 'are'} missing and could not be fetched"
            f": {quoted(why)[-400:].rstrip('.')}. Fetch everything in a terminal, then try again: "
            f"git -C {shlex.quote(path)} fetch --refetch --no-filter",
            subject=path,
            count=count,
        )


class SetupFailed(Unavailable):
    """A setup command of a worktree did not end well. What it wrote last is quoted."""

    code = "setup_failed"

    def __init__(self, line: str, how: str, tail: str = "") -> None:
        said = f" Its last output: {quoted(tail)[-500:]}" if tail.strip() else ""
        super().__init__(f"The setup command “{quoted(line)}” {how}.{said}", subject=line)


class ServerGone(Unavailable):
    """No server answers. Raised by a client, never by the server."""

    code = "server_gone"

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"The server at {url} does not answer: {why}. Start it again, then retry.", subject=url)
