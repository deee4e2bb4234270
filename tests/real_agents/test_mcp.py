"""An agent calls the MCP servers that the session gives it: over a pipe, over HTTP, and the board's own."""

from tests.real_agents.mcp_servers import WORDS, OverHttp, over_a_pipe
from tests.real_agents.remote import Remote


async def test_an_mcp_server_over_a_pipe_and_one_over_http_are_called(stage):
    with OverHttp("a-token-of-the-test") as http:

        async def offer(*_):
            return [over_a_pipe("pipe"), http.told("http")]

        stage.agor.grants.offer = offer
        session = await stage.begin(options=stage.kit.for_tools)
        if not stage.agor.agents.get(stage.kit.name).mcp.transports:
            turn = await stage.play(session, {"text": "I have no tools."})
            assert (turn.state, http.calls) == ("done", [])
            return

        turn = await stage.play(
            session,
            {"do": "mcp", "server": "pipe", "tool": "say_back", "args": {"words": "one"}},
            {"do": "mcp", "server": "http", "tool": "say_back", "args": {"words": "two"}},
            {"text": "Both said it."},
        )

        assert (turn.state, turn.error) == ("done", None)
        assert "Both said it." in await stage.text(turn)
        assert [call["arguments"] for call in http.calls] == [{"words": "two"}]
        assert any(f"{WORDS} one" in request and f"{WORDS} two" in request for request in stage.model.requests)


def test_an_agent_starts_another_with_the_boards_own_tools_and_waits_for_it(server, kit, model, repository):
    remote = Remote(server, kit)
    session = remote.begin(repository, board="team.agor", options=kit.for_tools)
    if not kit.agent.mcp.transports:
        assert remote.play(session["id"], {"text": "I have no tools."})["state"] == "done"
        return

    spawn = {"agent": "script", "prompt": "```sh\necho helped > helped.txt\n```"}
    turn = remote.play(session["id"], {"do": "mcp", "server": "agor", "tool": "session_spawn", "args": spawn}, {"text": "It helps."})
    [helper] = [one for one in server.call("GET", "sessions")["items"] if one["parentId"] == session["id"]]
    wait = {"session_id": helper["id"]}
    asked = len(model.requests)
    after = remote.play(session["id"], {"do": "mcp", "server": "agor", "tool": "session_wait", "args": wait}, {"text": "It is done."})

    assert [one["state"] for one in (turn, after)] == ["done", "done"], (turn, after)
    assert (helper["agent"], helper["worktreeId"]) == ("script", session["worktreeId"])
    assert any("helped.txt" in request for request in model.requests[asked:])


def test_an_agent_makes_a_worktree_has_another_work_there_and_tells_the_board(server, kit, model, repository):
    remote = Remote(server, kit)
    session = remote.begin(repository, board="team.agor", options=kit.for_tools)
    if not kit.agent.mcp.transports:
        assert remote.play(session["id"], {"text": "I have no tools."})["state"] == "done"
        return

    def calls(*tools):
        return [{"do": "mcp", "server": "agor", "tool": tool, "args": arguments} for tool, arguments in tools]

    place, brief = f"helped by {kit.name}", "```sh\necho helped > helped.txt\n```"
    first = calls(
        ("whoami", {}),
        ("worktree_create", {"name": place}),
        ("session_spawn", {"agent": "script", "prompt": brief, "worktree_id": place}),
        ("worktree_archive", {"worktree_id": session["worktreeId"]}),
    )
    turn = remote.play(session["id"], *first, {"text": "It helps."})
    [helper] = [one for one in server.call("GET", "sessions")["items"] if one["parentId"] == session["id"]]
    second = calls(
        ("session_wait", {"session_id": helper["id"]}),
        ("worktree_diff", {"worktree_id": place}),
        ("note_write", {"text": f"{kit.name} had helped.txt made."}),
    )
    asked = len(model.requests)
    after = remote.play(session["id"], *second, {"text": "It is done."})

    assert [one["state"] for one in (turn, after)] == ["done", "done"], (turn, after)
    [made] = [one for one in server.call("GET", "worktrees") if one["name"] == place]
    assert (helper["worktreeId"], made["board"], made["createdBy"]["username"]) == (made["id"], "team.agor", f"agent:{session['id']}")
    assert any("+helped" in request for request in model.requests[asked:])
    notes = [one["text"] for one in server.call("GET", "board?path=team.agor")["objects"].values() if one["kind"] == "note"]
    assert f"{kit.name} had helped.txt made." in notes
    assert any(one["username"] == f"agent:{session['id']}" for one in server.call("GET", "refusals"))
