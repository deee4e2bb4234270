"""Web servers of data tools, as services of a worktree, opened through the server's proxy: `make test-services`.

What is written here for each is what the guide recommends.
"""

import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from playwright.sync_api import expect

from harness.services import CACHE
from tests.browser.facts import settles

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]

STARTS_S = 240
FILES = {
    "dbt": {
        "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\nmodel-paths: [models]\nflags: {send_anonymous_usage_stats: false}\n",
        "profiles.yml": "shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb}}}\n",
        "models/orders.sql": "select 1 as order_id\n",
    },
    "streamlit": {
        "app.py": "import streamlit as st\nst.title('Orders of the shop')\nif st.button('Count'):\n    st.write(f'Counted: {6 * 7}')\n",
    },
    "dagster": {
        "assets.py": "import dagster as dg\n@dg.asset\ndef orders_of_the_shop() -> int:\n    return 42\ndefs = dg.Definitions(assets=[orders_of_the_shop])\n"
    },
    "jupyter": {"README.md": "# Orders of the shop\n"},
    "airflow": {
        "dags/shop.py": "from airflow.sdk import dag, task\n@dag\ndef orders_of_the_shop():\n    @task\n    def count():\n        return 42\n    count()\norders_of_the_shop()\n"
    },
}
ENVIRONMENTS = {
    "dbt": """
  setup: dbt docs generate --profiles-dir .
  services:
    web: {command: dbt docs serve --profiles-dir . --no-browser --host 127.0.0.1 --port "$PORT", ports: [web], ready: {http: /, timeout_s: 200}}
  links: {site: {port: web}}
""",
    "streamlit": """
  services:
    web:
      command: streamlit run app.py --server.address 127.0.0.1 --server.port "$PORT" --server.headless true --browser.gatherUsageStats false
      ports: [web]
      ready: {http: /_stcore/health, timeout_s: 200}
  links: {site: {port: web}}
""",
    "dagster": """
  services:
    web:
      command: dagster-webserver -f assets.py -h 127.0.0.1 -p "$PORT" --path-prefix "$PREFIX_WEB"
      ports: [web]
      ready: {http: /, timeout_s: 200}
  links: {site: {port: web, has_prefix: true, path: /assets}}
""",
    "jupyter": """
  services:
    web:
      command: >-
        jupyter lab --no-browser --ip 127.0.0.1 --port "$PORT" --ServerApp.base_url="$PREFIX_WEB" --ServerApp.allow_origin_pat=".*"
        --IdentityProvider.token= --IdentityProvider.cookie_name=worktree --LabApp.news_url= --allow-root
      ports: [web]
      ready: {timeout_s: 200}
  links: {site: {port: web, has_prefix: true, path: /lab}}
""",
    "airflow": """
  setup: [airflow db migrate, airflow dags reserialize]
  services:
    web:
      command: AIRFLOW__API__BASE_URL="http://127.0.0.1:$PORT$PREFIX_WEB" airflow api-server --host 127.0.0.1 --port "$PORT" --workers 1
      ports: [web]
      ready: {http: /api/v2/monitor/health, timeout_s: 220}
  links: {site: {port: web, has_prefix: true}}
  data:
    home: {kind: airflow}
  env:
    AIRFLOW__CORE__DAGS_FOLDER: "{{ worktree.path }}/dags"
    AIRFLOW__CORE__LOAD_EXAMPLES: "false"
    AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS: "true"
""",
}


def repository(lab, tool: str) -> str:
    name = f"{tool}-{uuid.uuid4().hex[:6]}"
    tools = CACHE / tool / "bin" if tool != "jupyter" else Path(sys.executable).parent  # that of the server
    assert tools.is_dir(), "run python -m harness.services first"
    path = lab.root / name
    files = {**FILES[tool], ".agor.yml": f"environment:{ENVIRONMENTS[tool]}"}
    for file, text in files.items():
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).write_text(text)
    settings = path / ".agor.yml"
    program = "dagster-webserver" if tool == "dagster" else tool
    settings.write_text(re.sub(rf"(?<![\w/-]){program}(?= (?:docs|run|db|dags|api|lab|-f))", f"{tools}/{program}", settings.read_text()))
    for argv in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run(["git", "-c", "user.name=Test", "-c", "user.email=t@example.org", *argv], cwd=path, check=True)
    lab.post("repos", {"path": str(path), "slug": name})
    return name


def see_dbt(page, _sockets) -> None:
    expect(page.get_by_text("Project", exact=True).first).to_be_visible()
    for name in ("shop", "models", "orders"):
        page.get_by_text(name, exact=True).locator("visible=true").first.click()
    expect(page.locator("h1").first).to_contain_text("orders")


def see_streamlit(page, sockets) -> None:
    expect(page.get_by_role("heading", name="Orders of the shop")).to_be_visible()
    page.get_by_role("button", name="Count").click()
    expect(page.get_by_text("Counted: 42")).to_be_visible()
    assert any(url.endswith("/_stcore/stream") for url in sockets), sockets


def see_dagster(page, sockets) -> None:
    expect(page.get_by_text("orders_of_the_shop").first).to_be_visible()
    assert any("/graphql" in url for url in sockets), sockets


def see_airflow(page, _sockets) -> None:
    page.get_by_role("link", name="Dags").first.click()
    expect(page.get_by_text("orders_of_the_shop").first).to_be_visible()


def see_jupyter(page, sockets) -> None:
    page.locator(".jp-LauncherCard", has_text="Python 3").first.click()
    page.locator(".jp-NotebookPanel:visible .jp-KernelName", has_text="Python 3").wait_for()
    page.locator(".jp-NotebookPanel:visible .cm-content").first.click()
    page.keyboard.type("import os; print('in', os.getcwd(), 6 * 7)")

    def ran() -> None:
        page.keyboard.press("Control+Enter")
        expect(page.locator(".jp-OutputArea-output").first).to_contain_text(re.compile(r"in .*shop-jupyter.* 42"), timeout=5000)

    settles(ran)
    assert any("/channels" in url for url in sockets), sockets


SEE = {"dbt": see_dbt, "streamlit": see_streamlit, "dagster": see_dagster, "airflow": see_airflow, "jupyter": see_jupyter}


@pytest.mark.parametrize("tool", list(SEE))
def test_it_runs_beside_a_worktree_and_opens_under_the_servers_login(lab, people, screens, tool):
    repo = repository(lab, tool)
    worktree = lab.post("worktrees", {"repo": repo, "name": f"Shop {repo}"})
    lab.wait_for(lambda: lab.get(f"worktrees/{worktree['id']}")["state"] == "ready")
    at = f"worktrees/{worktree['id']}/environment"

    lab.post(f"{at}/start", {})
    try:
        found = lab.wait_for(lambda: (now := lab.get(at))["state"] in {"healthy", "failed"} and now, timeout_s=STARTS_S)
        log = "" if found["state"] == "healthy" else lab.get(f"{at}/logs?service=web")["text"][-3000:]
        assert found["state"] == "healthy", (found["reason"], [one["reason"] for one in found["services"]], log)
        page = people("mira")
        sockets: list[str] = []
        page.on("websocket", lambda socket: sockets.append(socket.url))
        page.goto(lab.url.rstrip("/") + found["links"][0]["url"])
        try:
            SEE[tool](page, sockets)
        finally:
            page.screenshot(path=screens / f"service-{tool}.png")
    finally:
        lab.post(f"{at}/stop", {})
    lab.wait_for(lambda: lab.get(at)["state"] == "stopped")
