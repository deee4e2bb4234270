"""Hostile templates: each ends as an error with a sentence, in a bounded time, and the next one renders."""

import time

import pytest

from agor_jupyter.domain.errors import BadTemplate
from agor_jupyter.executors.renderer import Renderer

CONTEXT = {"worktree": {"name": "fix", "branch": "fix-null-keys", "notes": "{{ 1 + 1 }} $(rm -rf ~)"}, "user": {"name": "Ann"}}

HOSTILE = {
    "class": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "attribute of a function": "{{ range.__globals__ }}",
    "long range": "{% for a in range(10**9) %}x{% endfor %}",
    "nested loops": "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
    "doubling": "{% set a = 'a' * 1000 %}" + "{% set a = a ~ a %}" * 30 + "{{ a }}",
    "power": "{{ 9 ** 999999999 }}",
    "repeat": "{{ 'a' * 10**10 }}",
    "format": "{{ '%1000000000d' | format(1) }}",
    "indent": "{{ 'a' | indent(10**9) }}",
    "replace": "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a | replace('a', 'aaaaaaaaaa') %}" * 12 + "{{ a }}",
    "recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "parentheses": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "include": "{% include '/etc/passwd' %}",
    "import": "{% import 'os' as os %}{{ os }}",
    "output": "{% for a in range(2000) %}" + "x" * 100 + "{% endfor %}",
    "source": "x" * 70_000,
    "syntax": "line one\n{% if %}",
}


@pytest.fixture
async def renderer():
    renderer = Renderer()
    yield renderer
    await renderer.close()


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_template_is_an_error_and_the_next_one_renders(renderer, name):
    await renderer.render("warm", CONTEXT)
    began = time.monotonic()

    with pytest.raises(BadTemplate):
        await renderer.render(HOSTILE[name], CONTEXT)

    assert time.monotonic() - began < 5
    assert await renderer.render("{{ worktree.name }}", CONTEXT) == "fix"


async def test_an_unknown_name_says_the_line_and_the_nearest_name(renderer):
    with pytest.raises(BadTemplate) as caught:
        await renderer.render("Fix it.\nOn {{ worktree.brunch }}.", CONTEXT)

    assert caught.value.details == {"line": 2, "hint": "worktree.branch"}
    assert "line 2" in caught.value.message


async def test_a_value_is_never_rendered_again(renderer):
    assert await renderer.render("{{ worktree.notes }}", CONTEXT) == "{{ 1 + 1 }} $(rm -rf ~)"


async def test_a_syntax_error_says_its_line(renderer):
    with pytest.raises(BadTemplate) as caught:
        await renderer.render(HOSTILE["syntax"], CONTEXT)

    assert caught.value.details["line"] == 2
