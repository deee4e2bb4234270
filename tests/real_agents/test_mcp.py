"""An agent calls the MCP servers that the session gives it: over a pipe, over HTTP, and the board's own."""

from tests.real_agents.mcp_servers import WORDS, OverHttp, over_a_pipe


async def test_an_mcp_server_over_a_pipe_and_one_over_http_are_called(stage):
    with OverHttp("a-token-of-the-test") as http:

        async def offer(*_):
            return [over_a_pipe("pipe"), http.told("http")]

        stage.agor.grants.offer = offer
        session = await stage.begin(options=stage.kit.for_tools)
        if not stage.agor.agents.get(stage.kit.name).mcp:
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
