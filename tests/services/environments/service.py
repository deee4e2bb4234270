"""A service for tests: listens on `$PORT` and answers over HTTP, after it has done what its arguments say."""

import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if self.path == "/broken" else 200)
        self.end_headers()
        self.wfile.write(f"{self.path} on {os.environ['PORT']}\n".encode())

    def log_message(self, *_):
        print(f"\x1b[32masked for {self.path}\x1b[0m", flush=True)


def main(words: list[str]) -> None:
    for word in words:
        name, _, value = word.partition("=")
        if name == "say":
            print(value, flush=True)
        elif name == "show":
            print(f"{value} is {os.environ.get(value)}", flush=True)
        elif name == "sleep":
            time.sleep(float(value))
        elif name == "die":
            sys.exit(int(value))
        elif name == "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        elif name == "daemon":
            subprocess.Popen(["setsid", "sh", "-c", "trap '' TERM HUP; while :; do sleep 0.1; done"])
        elif name == "forks":
            subprocess.Popen(["sh", "-c", "trap '' TERM; while :; do sh -c 'trap \"\" TERM; sleep 600' & sleep 0.05; done"])
        elif name == "flood":
            for number in range(int(value)):
                print(f"line {number} {'x' * 90}")
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
    print("listens", flush=True)
    if "dies" in words:
        server.timeout = 0.6
        server.handle_request()
        sys.exit(7)
    server.serve_forever()


main(sys.argv[1:])
