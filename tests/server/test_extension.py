"""The extension's traits, and what its start loads."""

import subprocess
import sys

from agor_jupyter.server.extension import AgorApp

TRAITS = AgorApp.class_own_traits(config=True)


def test_every_trait_says_its_default_and_what_nothing_means():
    for name, trait in TRAITS.items():
        assert trait.help, name
        assert "efault" in trait.help, name
        if isinstance(trait.default_value, int | float) and not isinstance(trait.default_value, bool):
            assert any(unit in trait.help for unit in ("econds", "Days", "Mebibytes", "How many")), name
            assert "0" in trait.help or "at least 1" in trait.help, name


def test_the_start_of_the_server_loads_no_records_and_no_database():
    code = (
        "import sys; sys.modules['rfc3987_syntax'] = None; import agor_jupyter.server.extension\n"
        "print([name for name in ('pydantic', 'sqlalchemy', 'alembic', 'git', 'agor_jupyter.services', 'mcp') if name in sys.modules])"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert loaded.strip() == "[]"
