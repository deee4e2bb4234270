"""The fixtures of `tests/services` too: what users met is tried on the parts of the engine, or on the whole of it."""

from tests.services.conftest import bench, bench_config, checkout  # noqa: F401 fixtures
