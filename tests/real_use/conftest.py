"""The fixtures of `tests/services` too: what users met is tried on the parts of the engine, or on the whole of it."""

from tests.services.conftest import bench, bench_config, checkout, clone_protocols  # noqa: F401 fixtures
