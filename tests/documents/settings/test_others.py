"""What other tools' files become: a Procfile, a compose file, a devcontainer."""

import json

import pytest
import yaml

from agor_jupyter.documents.settings import compose, devcontainer, procfile
from agor_jupyter.domain.errors import BadSettings

DOCKER = ["docker", "compose"]


def test_each_line_of_a_procfile_is_a_service_and_what_needs_a_port_has_one():
    content = (
        b"# all\nweb: gunicorn app:app\nworker: celery -A app worker\nAPI: serve -p ${PORT:-5000}\nrelease: migrate\nodd line\nweb: x\n"
    )

    made = procfile.plan(content)

    assert [(service.name, service.command, service.ports) for service in made.services] == [
        ("web", "gunicorn app:app", ["web"]),
        ("worker", "celery -A app worker", []),
        ("api", "serve -p ${PORT:-5000}", ["api"]),
    ]
    assert ([link.name for link in made.links], made.source) == (["web", "api"], "Procfile")
    assert [said.split(":")[0] for said in made.left_out] == ["line 5", "line 6", "line 7"]


COMPOSE = b"""
x-common: &common
  restart: always
services:
  web:
    <<: *common
    image: nginx
    ports:
      - "8080:80"
      - 127.0.0.1:8443:443
      - "9000-9010:9000-9010"
      - 53:53/udp
  db:
    image: postgres
    ports:
      - {target: 5432, published: "5432"}
  worker: {image: busybox}
"""


def test_a_compose_file_is_one_service_whose_published_ports_are_ours():
    made = compose.plan(COMPOSE, "compose.yaml", DOCKER, "fix-0123")

    (service,) = made.services
    assert (service.ports, service.has_containers) == (["web", "web-443", "db"], True)
    assert service.command == f'printf %s "${compose.OVERRIDE}" | docker compose -p fix-0123 -f compose.yaml -f - up --remove-orphans'
    assert service.stop is not None
    assert service.stop.endswith("-f - down --remove-orphans")
    assert [said.partition("ports: ")[2].split("'")[1] for said in made.left_out] == ["9000-9010:9000-9010", "53:53/udp"]
    assert (made.env, made.source) == ({"COMPOSE_PROJECT_NAME": "fix-0123"}, "compose")


def test_the_override_says_the_ports_anew():
    made = compose.plan(COMPOSE, "compose.yaml", DOCKER, "fix-0123")

    override = yaml.load(made.services[0].env[compose.OVERRIDE], Loader=_Composes)

    assert override == {
        "services": {
            "web": {"ports": ['127.0.0.1:{{ ports["web"] }}:80', '127.0.0.1:{{ ports["web-443"] }}:443']},
            "db": {"ports": ['127.0.0.1:{{ ports["db"] }}:5432']},
        }
    }


class _Composes(yaml.SafeLoader):
    """Knows the tag by which compose replaces a list."""


_Composes.add_constructor("!override", lambda loader, node: loader.construct_sequence(node))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("services: {}", "no services"),
        ("a: b", "no services"),
        ("include: [other.yaml]\nservices: {a: {image: b}}", "includes other files"),
        ("services: {a: {extends: {file: other.yaml, service: b}}}", "extends one of another file"),
        ("services: {a: {network_mode: host}}", "network of the host"),
        ("services: {'a\"; touch x': {image: b}}", "cannot be used"),
        ("services: {a: }", "no names below it"),
    ],
)
def test_what_would_run_more_than_was_looked_at_is_not_run(text: str, says: str):
    made = compose.plan(text.encode(), "compose.yaml", DOCKER, "p")

    assert made.services == []
    assert says in made.left_out[0]


def test_without_a_program_for_it_the_plan_says_so():
    made = compose.plan(COMPOSE, "compose.yaml", None, "p")

    assert made.services == []
    assert "neither `docker compose` nor `podman compose`" in made.left_out[0]


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x]\nb: &b [*a, *a]\n" + "".join(f"{chr(99 + n)}: &{chr(99 + n)} [*{chr(98 + n)}, *{chr(98 + n)}]\n" for n in range(20)),
        "a: &a {k: v}\n"
        + "".join(f"b{n}: &b{n} {{<<: [*{'a' if n == 0 else f'b{n - 1}'}, *{'a' if n == 0 else f'b{n - 1}'}]}}\n" for n in range(20)),
        "a: &a [*a]",
    ],
)
def test_aliases_that_multiply_are_refused(text: str):
    with pytest.raises(BadSettings):
        compose.plan(text.encode(), "compose.yaml", DOCKER, "p")


def test_a_project_is_named_by_the_worktree_and_its_id():
    assert compose.project("Fix Login", "wt_1m8pjj30hvx3ry1s5tsj") == "fix-login-ry1s5tsj"
    assert compose.project("x", "wt_aaaaaaaaaaaa") != compose.project("x", "wt_bbbbbbbbbbbb")


DEVCONTAINER = b"""
{
  // a comment, with "quotes"
  "name": "x", "image": "python:3", /* another
  one */
  "postCreateCommand": {"a": "pip install -e .", "b": ["npm", "ci", "--prefix", "a b"]},
  "forwardPorts": [3000, "db:5432",],
  "remoteEnv": {"URL": "http://x//y", "PATH": "${containerEnv:PATH}:/x", "GONE": null, },
}
"""


def test_of_a_devcontainer_its_command_ports_and_variables_are_used_and_the_rest_is_said():
    made = devcontainer.plan(DEVCONTAINER)

    assert made.setup == ["pip install -e .", "npm ci --prefix 'a b'"]
    assert (made.spare_ports, made.ports) == (["forward-3000"], ["forward-3000"])
    assert made.env == {"URL": "http://x//y"}
    said = " ".join(made.left_out)
    assert all(word in said for word in ("image", "db:5432", "PATH", "GONE", "$PORT_FORWARD_3000"))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": NaN}', "[" * 100_000, '{"a": 1} x', "{'a': 1}"])
def test_a_devcontainer_that_is_no_json_is_refused(text: str):
    with pytest.raises(BadSettings):
        devcontainer.plan(text.encode())


def test_it_has_no_command_of_its_own_where_the_file_says_none():
    assert devcontainer.plan(json.dumps({"forwardPorts": "x", "remoteEnv": 3, "postCreateCommand": 5}).encode()).setup == []
