"""The `environment` section: what becomes of it, and what is refused with its name and line."""

import pytest

from agor_jupyter.documents.settings import variants
from agor_jupyter.documents.settings.marked import read
from agor_jupyter.domain.environments import Plan
from agor_jupyter.domain.errors import BadSettings

FILE = ".agor.yml"


def plan(text: str, variant: str | None = None) -> Plan:
    made = variants.plan(read(text.encode(), FILE), variant)
    assert made is not None
    return made


WHOLE = """
environment:
  setup: uv sync
  services:
    web:
      command: serve --port "$PORT"
      ports: [web]
      depends_on: [api]
      env: {LEVEL: info, KEEP: "1"}
      ready: {http: /health, timeout_s: 5}
    api: {command: [python, -m, api], ports: [api]}
  links:
    site: {port: web, path: /start}
  data:
    warehouse: {kind: duckdb, path: w.duckdb, variable: WAREHOUSE}
  env: {ALL: "yes", OTHER: on}
  kernel: {packages: [duckdb], python: "3.12"}
  variants:
    small:
      extends: default
      services:
        web: {env: {LEVEL: debug}, ready: {timeout_s: 9}}
      env: {ALL: "no"}
    smaller:
      extends: small
      services: {api: null, web: {depends_on: []}}
      setup: [one, two]
"""


def test_a_section_becomes_a_plan_with_its_services_in_order():
    made = plan(WHOLE)

    assert [service.name for service in made.services] == ["api", "web"]
    assert (made.setup, made.variant, made.variants) == (["uv sync"], "default", ["default", "small", "smaller"])
    assert made.services[0].command == ["python", "-m", "api"]
    assert (made.services[1].ready.http, made.services[1].ready.timeout_s) == ("/health", 5)
    assert made.env == {"ALL": "yes", "OTHER": "on"}
    assert made.ports == ["api", "web"]
    assert (made.links[0].port, made.data[0].kind, made.kernel.python if made.kernel else None) == ("web", "duckdb", "3.12")


def test_a_variant_begins_with_what_it_extends_and_may_take_something_out():
    small, smaller = plan(WHOLE, "small"), plan(WHOLE, "smaller")

    web = {service.name: service for service in small.services}["web"]
    assert web.env == {"LEVEL": "debug", "KEEP": "1"}
    assert (web.ready.http, web.ready.timeout_s) == ("/health", 9)
    assert small.env == {"ALL": "no", "OTHER": "on"}
    assert ([service.name for service in smaller.services], smaller.setup) == (["web"], ["one", "two"])
    assert smaller.services[0].env == {"LEVEL": "debug", "KEEP": "1"}


def test_a_section_of_variants_alone_has_the_first_as_its_default():
    text = "environment:\n  variants:\n    dev: {services: {a: {command: x}}}\n    test: {extends: dev}\n"

    made = plan(text)

    assert (made.variant, made.variants) == ("dev", ["dev", "test"])
    assert [service.name for service in plan(text, "test").services] == ["a"]


def test_a_file_without_the_section_has_no_plan():
    assert variants.plan(read(b"setup: x\n", FILE)) is None
    assert variants.plan(read(b"", FILE)) is None


SERVICES = "environment:\n  services:\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("environment:\n  servces: {}\n", r"'environment.servces' is not known \(line 2\); did you mean 'services'"),
        (SERVICES + "    web:\n      comand: x\n", r"web.comand' is not known \(line 4\); did you mean 'command'"),
        (SERVICES + "    web: {command: x, ready: {htpt: /}}\n", r"ready.htpt' is not known \(line 3\); did you mean 'http'"),
        (SERVICES + "    web:\n      ports: [a]\n", r"services.web.command': it is missing \(line 3\)"),
        (SERVICES + "    web: x\n", "must have names below it"),
        (SERVICES + "    Web: {command: x}\n", r"services.Web.name': String should match pattern"),
        (
            SERVICES + "    web: {command: x, depends_on: [ap]}\n    api: {command: y}\n",
            "depends on 'ap', which is no service; did you mean 'api'",
        ),
        (
            SERVICES + "    a: {command: x, depends_on: [b]}\n    b: {command: x, depends_on: [c]}\n    c: {command: x, depends_on: [b]}\n",
            "circle: b → c → b",
        ),
        (SERVICES + "    a: {command: x, ports: [p]}\n    b: {command: x, ports: [p]}\n", "'b' names the port 'p' too, as 'a' does"),
        (SERVICES + "    a: {command: x, ports: [p, p]}\n", "twice"),
        (SERVICES + "    a: {command: x, ready: {port: p}}\n", "none of its ports"),
        (SERVICES + "    a: {command: x, ready: {http: /}}\n", "by HTTP and has no port"),
        (SERVICES + "    a: {command: x, ready: {timeout_s: 0}}\n", "timeout_s': Input should be greater than 0"),
        (SERVICES + "    a: {command: x, restart: sometimes}\n", "restart"),
        (SERVICES + "    a: {command: x, cwd: ../other}\n", "not below the worktree"),
        (SERVICES + "    a: {command: x, cwd: /etc}\n", "not below the worktree"),
        (SERVICES + "    a: {command: x, env: {PORT: 80}}\n", r"PORT': Input should be a valid string; put it in quotes \(line 3\)"),
        (SERVICES + "    a: {command: x}\n    a: {command: y}\n", r"'a' is there twice \(line 4\)"),
        ("environment:\n  links: {site: {port: web}}\n", "port 'web', which no service has"),
        ("environment:\n  links: [{name: site, port: web}]\n", "'environment.links' must have names below it"),
        ("environment:\n  data: {w: {kind: postgresql}}\n", "needs `connection`"),
        ("environment:\n  data: {w: {kind: duckdb, path: ../x}}\n", "not below the worktree"),
        ("environment:\n  kernel: {requirements: /etc/passwd}\n", "not below the worktree"),
        ("environment:\n  extends: other\n", "'environment.extends' is not known"),
        ("environment:\n  variants:\n    a: {extends: b}\n    b: {extends: c}\n    c: {extends: b}\n", r"circle: b → c → b \(line 5\)"),
        (
            "environment:\n  variants:\n    a: {extends: al}\n    all: {}\n",
            r"extends 'al', which is not there \(line 3\); did you mean 'all'",
        ),
        ("environment:\n  setup: x\n  variants:\n    default: {}\n", "must have another name"),
        ("environment: [a]\n", "must have names below it"),
        ("environment: {services: {a: &x {command: y}, b: *x}}\n", "anchors"),
        ("environment: {services: {a: {command: !!python/name:os.system y}}}\n", "tags"),
        ("environment: {services: " + "{a: " * 30 + "}" * 31 + "\n", "deep"),
        ("? [a]\n: b\n", "must be a word"),
        ("environment: {setup: " + "x" * 66_000 + "}", "KiB"),
        ('environment:\n  setup: "\\0"\n  services: 1', "must have names below it"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_name_and_line(text: str, says: str):
    with pytest.raises(BadSettings, match=says):
        plan(text, "a" if "variants:\n    a:" in text else None)


def test_an_unknown_variant_is_refused_with_the_nearest():
    with pytest.raises(BadSettings, match="no variant 'smal'; did you mean 'small'"):
        plan(WHOLE, "smal")


AGOR_1 = """
environment:
  up_command: >-
    NODE_PORT={{add 9100 worktree.unique_id}}
    docker compose -p '{{worktree.name}}' -f light.yml up -d
  down_command: docker compose -p {{worktree.name}} down
  nuke_command: docker compose -p {{worktree.name}} down -v
  health_check_url: 'http://localhost:{{add 9100 worktree.unique_id}}/health'
  app_url: 'http://{{host.ip_address}}:{{add 9100 worktree.unique_id}}'
  logs_command: docker compose logs
"""


def test_agors_first_version_is_read_with_variables_instead_of_templates():
    made = plan(AGOR_1)

    (app,) = made.services
    assert app.ports == ["port-9100"]
    assert "NODE_PORT=${PORT_PORT_9100} docker compose -p ''\"${AGOR_WORKTREE_NAME}\"'' -f" in app.command[-1]
    assert app.stop == "docker compose -p ${AGOR_WORKTREE_NAME} down"
    assert (app.ready.port, app.ready.http, app.has_containers) == ("port-9100", "/health", True)
    assert (made.links[0].port, made.links[0].path) == ("port-9100", "/")
    assert made.reset == ["docker compose -p ${AGOR_WORKTREE_NAME} down -v"]
    assert [said.split(":")[0] for said in made.left_out] == ["logs"]


AGOR_2 = """
version: 2
environment:
  default: lite
  variants:
    full: {start: 'run full {{secret.key}}', extends: lite}
    lite:
      description: small
      start: run --port {{add branch.unique_id 3000}}
      stop: https://example.org/stop
      app: http://localhost:{{add 3000 branch.unique_id}}/home
      wait: 5
"""


def test_agors_second_version_is_read_with_its_default_and_what_is_left_out_is_said():
    lite, full = plan(AGOR_2), plan(AGOR_2, "full")

    assert (lite.variant, lite.variants) == ("lite", ["lite", "full"])
    assert lite.services[0].ports == ["port-3000"]
    assert lite.links[0].path == "/home"
    assert [said.split(":")[0] for said in lite.left_out] == ["wait", "stop"]
    assert full.services == []
    assert any("{{secret.key}}" in said for said in full.left_out)
