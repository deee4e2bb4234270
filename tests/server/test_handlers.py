"""What a request gets back."""

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.server.operations import of
from agor_jupyter.server.routes import ROUTES, function_of


def test_each_row_of_the_table_names_a_function_with_the_parameters_of_its_path():
    for route in ROUTES:
        for method, name in route.methods.items():
            function = function_of(route.module, name)
            names = list(function.__code__.co_varnames[: function.__code__.co_argcount])

            assert names[0] == "call"
            assert [each for each in names[1:] if each not in ("body", "query")] == route.parameters, (route.path, method)
            assert of(function).summary


def test_me_says_who_asks_and_with_which_role(server):
    found = {name: server.client(name).get("me") for name in ("alice", "bob", "carol")}

    assert {name: me["role"] for name, me in found.items()} == {"alice": "owner", "bob": "steerer", "carol": "viewer"}
    assert found["bob"]["person"] == {"username": "bob", "name": "Bob", "initials": "B", "color": None}


def test_who_may_not_read_reads_nothing(server):
    with pytest.raises(errors.NotAllowed, match="Mallory may not"):
        server.client("mallory").get("me")


@pytest.mark.parametrize("name", ["carol", "bob"])
def test_a_role_is_asked_for_before_the_service_is(server, name):
    """The ids do not exist: a request that reached the service would be answered with 404 or 400."""
    refused = {}
    for route in ROUTES:
        for method, function in route.methods.items():
            operation = of(function_of(route.module, function))
            path = route.path.removeprefix("api/")
            for parameter in route.parameters:
                path = path.replace(f"{{{parameter}}}", "xx_none")
            needs = {"viewer": 0, "steerer": 1, "owner": 2}[operation.role.value]
            if needs <= {"carol": 0, "bob": 1}[name]:
                continue
            with pytest.raises(errors.NotAllowed) as caught:
                server.client(name).request(method, path, body={}, key="k" if method == "POST" else None)
            refused[method, path] = caught.value.details["needs"]

    assert len(refused) >= (20 if name == "carol" else 3)


def test_a_body_that_does_not_fit_is_answered_with_a_line_for_each_field(server):
    with pytest.raises(errors.BadRequest) as caught:
        server.client("alice").post("worktrees", {"repo": 3, "name": [], "color": "red"})

    lines = caught.value.details["problems"]
    assert any(line.startswith("repo: ") for line in lines)
    assert any(line.startswith("name: ") for line in lines)
    assert any(line.startswith("color: ") for line in lines)


def test_an_unknown_query_name_is_refused(server):
    with pytest.raises(errors.BadRequest, match="colour"):
        server.client("alice").get("sessions", colour="red")


def test_a_post_without_a_key_is_refused(server):
    with pytest.raises(errors.BadRequest, match="Idempotency-Key"):
        server.client("alice").request("POST", "repos", body={"path": "x"})


def test_an_unknown_address_and_method_have_errors_in_our_form(server):
    with pytest.raises(errors.NotFound):
        server.client("alice").get("nothing/here")
    with pytest.raises(errors.AgorError, match="does not take this method"):
        server.client("alice").delete("me")
