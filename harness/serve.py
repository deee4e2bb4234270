"""A real Jupyter server with the extension and three people, who are known by their tokens. Prints its address and its routes."""

import json
import os
import sys
import threading
import warnings

sys.modules.setdefault("rfc3987_syntax", None)
from jupyter_server.auth import Authorizer, IdentityProvider, User  # noqa: E402 after the stub
from jupyter_server.serverapp import ServerApp  # noqa: E402
from traitlets.config import Config  # noqa: E402

RIGHTS = {"alice": {"read", "write", "execute"}, "bob": {"read", "write"}, "carol": {"read"}, "mallory": set()}


class People(IdentityProvider):
    """`Authorization: token alice-token`; a cookie works after a login with the token in it."""

    def get_user(self, handler):
        found = handler.request.headers.get("Authorization", "").removeprefix("token ")
        by_url = handler.get_query_argument("token", "")
        cookie = handler.get_secure_cookie("who")
        name = (found or by_url).removesuffix("-token") if found or by_url else (cookie or b"").decode()
        if name not in RIGHTS:
            return None
        handler._token_authenticated = bool(found or by_url)
        if found:
            handler.set_secure_cookie("who", name)
        return User(name, name.title(), name.title(), name[0].upper())


class Rights(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return resource != "agor_jupyter" or action in RIGHTS[user.username]


def main():
    root, base_url = sys.argv[1:3]

    os.chdir(os.environ["JUPYTER_RUNTIME_DIR"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        config = Config({"AgorApp": json.loads(os.environ.get("AGOR_TEST_CONFIG", "{}"))})  # a list of dicts cannot be an argument
        app = ServerApp.instance(
            config=config,
            jpserver_extensions={"agor_jupyter": True, "jupyter_server_proxy": True},
            identity_provider_class=People,
            authorizer_class=Rights,
        )
        app.initialize(
            argv=["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={os.environ.get('AGOR_TEST_PORT', '0')}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}",
                  f"--ServerApp.base_url={base_url}", *sys.argv[3:]],
            find_extensions=False,
        )  # fmt: skip
    routes = []
    for outer in app.web_app.default_router.rules:
        for rule in getattr(outer.target, "rules", []):
            pattern = rule.matcher.regex.pattern
            if rule.target.__module__.startswith("agor_jupyter") or "/agor/" in pattern:
                routes.append([pattern, rule.target.__name__])

    def announce():
        print(
            json.dumps(
                {"url": app.connection_url, "routes": routes, "warnings": [str(each.message) for each in caught], "pid": os.getpid()}
            ),
            flush=True,
        )

    threading.Thread(target=lambda: (sys.stdin.buffer.read(), os.kill(os.getpid(), 15)), daemon=True).start()
    app.io_loop.add_callback(announce)
    app.start()


main()
