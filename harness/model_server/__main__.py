"""Run it by hand: `python -m harness.model_server --port 8399`. Every request is printed."""

import argparse
import time

from harness.model_server.server import ModelServer


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m harness.model_server")
    parser.add_argument("--port", type=int, default=0)
    port = parser.parse_args().port
    with ModelServer(port) as model:
        print(model.url, flush=True)
        seen = 0
        while True:
            time.sleep(0.2)
            requests = model.requests[seen:]
            seen += len(requests)
            for request in requests:
                print(request.path, request.model or "", flush=True)


if __name__ == "__main__":
    main()
