"""A Jupyter server with the guard and the rooms, three people known by their tokens, and carol who may only read files."""

import json
import sys

from jupyter_server.auth import Authorizer, IdentityProvider, User
from jupyter_server.base.handlers import APIHandler
from jupyter_server.serverapp import ServerApp
from tornado import web
from traitlets.config import Config

from agor_jupyter.server import guard
from agor_jupyter.server.rooms import JupyterRooms


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


class RoomHandler(APIHandler):
    @web.authenticated
    async def get(self):
        self.finish(self.settings["test_rooms"].info(self.get_query_argument("path")).encode())

    @web.authenticated
    async def post(self):
        document = await self.settings["test_rooms"].get_document(self.get_query_argument("path"))
        if document is None:
            raise web.HTTPError(404)
        changes = json.loads(self.request.body)
        if changes:
            document.edit(changes)
        view = document.view()
        self.finish({"objects": len(view.objects), "problems": [problem.text for problem in view.problems], "problem": document.problem})


def _load_jupyter_server_extension(app):
    guard.install()
    app.web_app.settings["test_rooms"] = JupyterRooms(app)
    app.web_app.add_handlers(".*", [(app.web_app.settings["base_url"] + "test/room", RoomHandler)])


if __name__ == "__main__":
    port, root = sys.argv[1:3]
    config = Config()
    config.ServerApp.identity_provider_class = People
    config.ServerApp.authorizer_class = OnlyCarolReads
    config.ServerApp.jpserver_extensions = {"agor_jupyter": False, "tests.server.room_server": True, "jupyterlab": False}
    config.ServerApp.root_dir = root
    config.ServerApp.allow_root = True
    config.ServerApp.disable_check_xsrf = True
    config.ServerApp.open_browser = False
    config.ServerApp.port_retries = 0
    ServerApp.launch_instance(argv=[f"--ServerApp.port={port}", *sys.argv[3:]], config=config)
