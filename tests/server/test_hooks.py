"""The address of a schedule: nobody logs in there, and nothing but its secret opens it."""

import time

import pytest

from tests.server.test_guard import ask

PATIENCE_S = 50
PATH = "/user/ann/agor/hooks/sc_nobody"


@pytest.fixture
def started(server):
    """The server, when its engine has started. Until then, an address says 503."""
    deadline = time.monotonic() + PATIENCE_S
    while (status := ask(server, "POST", "/user/ann/agor/hooks/sc_first", {}, b"{}")[0]) == 503:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.05)
    assert status in {404, 429}
    return server


def test_a_login_opens_no_address_and_a_stranger_learns_nothing(started):
    for headers in ({}, {"Authorization": "token alice-token"}, {"X-Gitlab-Token": "guess"}, {"X-Hub-Signature-256": "sha256=00"}):
        status, body, _ = ask(started, "POST", PATH, headers, b"{}")
        assert status == 404
        assert b"schedule_not_found" in body


def test_other_methods_and_long_bodies_are_refused(started):
    assert ask(started, "GET", PATH)[0] == 405
    assert ask(started, "POST", PATH, {}, b"x" * (300 << 10))[0] == 413


def test_a_flood_is_told_to_wait(started):
    answers: list[int] = []
    while 429 not in answers and len(answers) < 300:  # a slow machine takes longer than a minute for the first ones
        answers.append(ask(started, "POST", "/user/ann/agor/hooks/sc_flood", {}, b"{}")[0])

    assert answers[-1] == 429
    assert set(answers[:-1]) == {404}
    assert len(answers) > 30
