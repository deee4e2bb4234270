"""How an agent asks: the engine as MCP tools, one token for each session.

Nothing here is imported before the first agent starts: `mcp` takes a second and 55 MB.
"""
