"""A page on the warehouse, built from the seeds and models as they are now: PORT=8000 python page.py"""

import html
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import duckdb

import load

REVENUE = "select ordered_on as day, orders, revenue from daily_revenue order by day"
LOST = "select count(*) from stg_orders where order_id is null"
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 40rem; padding: 0 1rem; color-scheme: light dark }
table { border-collapse: collapse; width: 100% } td, th { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid #8884 }
td:first-child, th:first-child { text-align: left } meter { width: 8rem } .bad { color: #c33 }
"""


def render() -> str:
    with duckdb.connect() as warehouse:
        load.load(warehouse)
        load.build(warehouse)
        lost = warehouse.execute(LOST).fetchone()[0]
        rows = warehouse.execute(REVENUE).fetchall()
    most = max(float(revenue) for _, _, revenue in rows)
    body = "".join(
        f"<tr><td>{html.escape(str(day))}</td><td>{orders}</td><td>{float(revenue):,.2f}</td>"
        f'<td><meter min="0" max="{most}" value="{float(revenue)}"></meter></td></tr>'
        for day, orders, revenue in rows
    )
    says = f'<p class="bad">{lost} orders have no id.</p>' if lost else "<p>Every order has an id.</p>"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Warehouse</title><style>{STYLE}</style><h1>Revenue by day</h1>{says}'
        f"<table><tr><th>Day</th><th>Orders</th><th>Revenue</th><th></th></tr>{body}</table></html>"
    )


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = render().encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), Page)
    print(f"The page is at http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
