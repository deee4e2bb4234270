"""The demo, with a real JupyterLab."""

import getpass
import http.cookiejar
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from agor_jupyter.cli import demo


@pytest.mark.timeout(120)
def test_it_starts_with_the_notebook_and_again(tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AGOR_", "JPY_", "JUPYTER"))}
    environment["JUPYTER_RUNTIME_DIR"] = str(tmp_path / "runtime")
    addresses = []
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-m", "agor_jupyter.cli", "demo", "--folder", str(tmp_path / "demo"), "--port", "18888"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            address = next(
                found[0]
                for line in process.stdout
                if (found := re.search(r"http://127\.0\.0\.1:\d+/lab/tree/quickstart\.ipynb\?token=\w+", line))
            )
            page = answer(address)
            assert "quickstart" in page
            assert re.search(r'"news": *{"disabled": *true}', page)
            token = address.rpartition("=")[2]
            setting = answer(
                address.replace("lab/tree/quickstart.ipynb", "lab/api/settings/@jupyterlab/apputils-extension:notification"), token
            )
            assert json.loads(setting)["schema"]["properties"]["fetchNews"]["default"] == "false"  # nobody is asked about news
            me = answer(address.replace("lab/tree/quickstart.ipynb", "agor/api/me"), token=address.rpartition("=")[2])
            assert str(tmp_path / "demo" / ".agor") in me
            names = [name_in_a_browser(address) for _ in range(6)]
            assert len(set(names)) > 1  # drawn from a short list
            assert [getpass.getuser()] == [json.loads(me)["person"]["name"]]
            addresses.append(address)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            process.stdout.close()

    assert addresses[0].rpartition("=")[2] == addresses[1].rpartition("=")[2]
    assert addresses[0] == addresses[1]  # the port too, right after the first one ended
    assert (tmp_path / "demo" / "warehouse" / ".git").exists()
    for name in ("quickstart.ipynb", "pipeline.ipynb"):
        story = json.loads((tmp_path / "demo" / name).read_text())
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in story["cells"])
    assert (tmp_path / "demo" / ".agor-token").stat().st_mode & 0o777 == 0o600


@pytest.mark.timeout(60)
def test_who_runs_the_server_has_one_name_and_others_have_others():
    from jupyter_server.auth.identity import User
    from tornado.httputil import HTTPHeaders

    from agor_jupyter.server.identity import OwnerFirst

    class Request:
        def __init__(self, **headers):
            self.request, self.log = self, logging.getLogger(__name__)
            self.headers = HTTPHeaders(headers)

    provider = OwnerFirst()
    kernel, first, second, shell = (
        provider.generate_anonymous_user(Request(**headers))
        for headers in ({"Authorization": "token x"}, {}, {}, {"Authorization": "token x"})
    )
    again = OwnerFirst()
    again.user_from_cookie(provider.user_to_cookie(first))

    assert kernel.username == first.username == shell.username == getpass.getuser()
    assert second.name.startswith("Anonymous ")
    assert again.generate_anonymous_user(Request()).name.startswith("Anonymous ")
    assert isinstance(first, User)


def name_in_a_browser(address):
    """What a fresh browser is called there."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    browser.open(address).read()
    with browser.open(address.partition("lab/tree")[0] + "api/me") as response:
        return json.load(response)["identity"]["name"]


def answer(address, token=None):
    headers = {"Authorization": f"token {token}"} if token else {}
    for _ in range(200):
        try:
            with urllib.request.urlopen(
                urllib.request.Request(address.partition("?")[0] if token else address, headers=headers)
            ) as response:
                return response.read().decode()
        except OSError:
            time.sleep(0.2)
    raise AssertionError(address)


def test_the_token_is_not_an_argument(tmp_path):
    environment = demo.environment(tmp_path, "secret")

    assert environment["JUPYTER_TOKEN"] == "secret"
    assert not any("secret" in word for word in demo.command(tmp_path, 8888, browser=False))
