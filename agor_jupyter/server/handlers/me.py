"""Who I am here, and what this server is."""

from agor_jupyter._assets import bundle_hash
from agor_jupyter._version import __version__
from agor_jupyter.domain.boards import Me
from agor_jupyter.server.base import Handler
from agor_jupyter.server.operations import Call, operation
from agor_jupyter.server.stream import MAX_FRAME


@operation()
async def me(call: Call) -> Me:
    """Say who asks, with which role, and what the server is."""
    config = call.agor.config
    return Me(
        person=call.caller.person,
        role=call.caller.role,
        version=__version__,
        bundle=bundle_hash(),
        root_dir=str(config.root_dir),
        data_dir=str(config.data_dir),
        limits={"body": Handler.max_body, "frame": MAX_FRAME, "starting": config.max_starting, "running": config.max_running},
    )
