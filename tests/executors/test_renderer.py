"""Hostile templates: each ends as an error with a sentence, in a bounded time, and the next one renders."""

import asyncio
import re
import time
from pathlib import Path

import pytest

from agor_jupyter.domain.errors import BadTemplate
from agor_jupyter.executors.renderer import Renderer
from agor_jupyter.processes import table

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

    assert time.monotonic() - began < 50
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


async def test_the_longest_text_is_rendered_though_each_letter_takes_six_on_the_wire(renderer):
    assert await renderer.render("{{ '\x01' * 60000 }}", CONTEXT) == "\x01" * 60_000


async def test_the_worker_has_its_limits_and_ends_when_it_is_closed(renderer):
    await renderer.render("warm", CONTEXT)
    run_id = renderer._process.run_id
    [worker] = [pid for pid in table.marked(run_id) if b"template_worker" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[2]]
    limits = Path(f"/proc/{worker}/limits").read_text()

    await renderer.close()

    assert re.search(rf"Max address space +{256 << 20} +{256 << 20} ", limits)
    assert re.search(r"Max core file size +0 +0 ", limits)
    assert table.marked(run_id) == set()


async def test_a_cancelled_template_leaves_no_worker(renderer):
    await renderer.render("warm", CONTEXT)
    run_id = renderer._process.run_id
    rendering = asyncio.create_task(renderer.render(HOSTILE["doubling"], CONTEXT))
    await asyncio.sleep(0)

    rendering.cancel()
    await asyncio.wait([rendering])

    assert rendering.cancelled()
    assert table.marked(run_id) == set()
    assert await renderer.render("{{ worktree.name }}", CONTEXT) == "fix"
