"""How the public API is used, for the type checker. Never run."""

import agor_jupyter as agor


async def six_cells() -> agor.Diff:
    hub: agor.Hub = agor.connect()
    repo: agor.Repo = hub.repo(agor.sample("warehouse"))
    board: agor.Board = hub.board("warehouse.agor")
    fix: agor.Worktree = repo.worktree("fix", board=board, base="main", context={"ticket": 12})
    session: agor.Session = fix.session("script", "prompt", allow=True)
    question: agor.Permission | None = await session.question()
    if question:
        question.allow(remember="worktree", command="dbt build", hours=8)
    session.allow("dbt build").revoke()
    fix.allow(kind="edit", hours=8)
    repo.allow(["git", "status"])
    board.allow("dbt build", zone="review")
    turn: agor.Turn = await session
    async for event in session:
        number: int | None = event.seq
        print(number)
    return turn.diff


def options_and_forks(work: agor.Worktree) -> list[str]:
    session = work.session("script", "prompt", model="large", mode="auto", options={"on_failure": "go_on"})
    session.mode = "ask"
    session.model = None
    mode: str | None = session.fork("other", agent="script").choose(options={"on_failure": "stop"}).mode
    imported: agor.Session = work.import_conversation(work.history[0])
    return [mode or "", imported.spawn("more", worktree=work).title, *(option.id for option in session.options)]


def trust(work: agor.Worktree, session: agor.Session) -> list[str]:
    files = work.project_files
    work.trust()
    work.trust("CLAUDE.md", ".claude/", files["AGENTS.md"])
    refused: str | None = work.distrust("AGENTS.md")[0].decided_by
    question = session.wait_question(timeout=60)
    asked: list[str] = [file.path for file in question.files] if question else []
    return [*asked, refused or "", files[0].state, files[0].text or ""]


def a_script() -> str | None:
    hub = agor.connect("http://127.0.0.1:8888/", "token", data_dir="data")
    turn = hub.repo(".").worktrees["fix"].sessions[0].prompt("again").wait(timeout=60)
    columns: list[str] = list(hub.repos.df.columns)
    print(columns, hub.permissions[0].reject().answered_by)
    try:
        hub.board("x.agor").worktrees["fix"].remove(force=True)
    except agor.errors.WouldLoseWork as error:
        return error.code
    return turn.commit
