"""A Jupyter server with every extension, three people known by their tokens, and carol who may only read."""

import sys

from jupyter_server.auth import Authorizer, IdentityProvider, User
from jupyter_server.serverapp import ServerApp
from traitlets.config import Config


class People(IdentityProvider):
    token = ""
    auth_enabled = True

    async def get_user(self, handler):
        name = handler.request.headers.get("Authorization", "").removeprefix("token ") or handler.get_query_argument("token", "")
        if name not in {"alice", "bob", "carol"}:
            return None
        handler._token_authenticated = True
        return User(username=name, name=name.title(), display_name=name.title())


class OnlyCarolReads(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return user.username != "carol" or action == "read"


if __name__ == "__main__":
    port, root = sys.argv[1:3]
    config = Config()
    config.ServerApp.identity_provider_class = People
    config.ServerApp.authorizer_class = OnlyCarolReads
    config.ServerApp.jpserver_extensions = {"agor_jupyter": True, "jupyterlab": False}
    config.ServerApp.root_dir = root
    config.ServerApp.allow_root = True
    config.ServerApp.disable_check_xsrf = True
    config.ServerApp.open_browser = False
    config.ServerApp.port_retries = 0
    ServerApp.launch_instance(argv=[f"--ServerApp.port={port}", *sys.argv[3:]], config=config)
