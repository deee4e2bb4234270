from collections.abc import Iterator

import pytest

from harness.servers import RealServer, serve, stop


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    process, found = serve(tmp_path_factory.mktemp("server"))
    yield found
    stop(process)
