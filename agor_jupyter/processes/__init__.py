"""Starts programs and ends them with all that they started. The only folder that does, beneath all that needs one.

| started by | for | the end |
|---|---|---|
| `once.run` | git, and questions such as `git --version` | its group, and what carries its mark |
| `guarded.spawn`, `guarded.run` | agents, setup commands, installations, the renderer of templates | with this server, by its shim |
| `lasting.start` | services of an environment | when told; a later server adopts it |

What holds for each: exactly the variables that it is given, with a mark that all it starts inherits; a session and a group of its own; a
bound on what is kept of its output; cancelling ends it and waits until it is gone; and no bare pid is ever signalled: only a child that
was not yet reaped, or a process pinned by a descriptor whose start time was compared.
"""
