"""The extension's traits, and what its start loads."""

import subprocess
import sys

import pytest

from agor_jupyter.domain import errors
from agor_jupyter.server.extension import AgorApp

TRAITS = AgorApp.class_own_traits(config=True)


def test_every_trait_says_its_default_and_what_nothing_means():
    for name, trait in TRAITS.items():
        assert trait.help, name
        assert "efault" in trait.help, name
        if isinstance(trait.default_value, int | float) and not isinstance(trait.default_value, bool):
            assert any(unit in trait.help for unit in ("econds", "Days", "Mebibytes", "How many", "Dollars")), name
            assert "0" in trait.help or "at least 1" in trait.help, name


def test_the_start_of_the_server_loads_no_records_and_no_database():
    code = (
        "import sys; sys.modules['rfc3987_syntax'] = None; import agor_jupyter.server.extension\n"
        "print([name for name in ('pydantic', 'sqlalchemy', 'alembic', 'git', 'agor_jupyter.services', 'mcp') if name in sys.modules])"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert loaded.strip() == "[]"


def test_an_agent_that_cannot_be_used_is_named_with_what_would_work():
    entry = {"name": "mine", "label": "Mine", "icon": "ag-agent", "command": ["mine"], "key_env": ["MINE_KEY"]}

    with pytest.raises(errors.Misconfigured) as raised:
        AgorApp()._agent(entry)

    assert raised.value.message == (
        'AgorApp.agents cannot be used: \'mine\': `key_env` is sign_in.key_env: write "sign_in": {"key_env": …}. '
        "Correct the configuration, and start the server again."
    )
