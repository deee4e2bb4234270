"""Makes docs/images/canvas.png: a lively board of the real product, with real sessions, as two people see it.

Needs Chromium, as the browser tests do: `python scripts/make_picture.py`.
"""

import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from agor_jupyter.notebook.sample import sample  # noqa: E402
from tests.browser.conftest import ARGUMENTS, TOKENS, Lab  # noqa: E402

PICTURE = ROOT / "docs" / "images" / "canvas.png"
BOARD = "warehouse.agor"
MODEL = "models/staging/stg_orders.sql"

INCREMENTAL = f"""Make stg_orders incremental, and keep late rows.

```sh
sed -i '1i -- materialized: incremental, unique_key: order_id' {MODEL}
printf '%s\\n' 'for month in $(seq 48); do echo "$month of 48 PASS not_null_order_id"; sleep 5; done' > backfill.sh
git add -A && git commit -qm "Make stg_orders incremental"
```

```sh
sh backfill.sh
```
"""
NULL_IDS = f"""Why is order_id null in staging? Keep the number of old ids.

```sh
sed -i "s/try_cast(order_id as integer)/cast(replace(order_id, 'ORD-', '') as integer)/" {MODEL}
git diff --stat
```

```sh
python -m pytest -q tests/test_models.py
```
"""
FAILS = """Remove customers that are there twice, then test.

```sh
sed -i '1i -- one row for each customer_id' models/staging/stg_customers.sql
python -m pytest -qq --tb=no
```
"""
DONE = """Write contract tests for payments, and commit.

```sh
mkdir -p tests/contracts
for name in amount currency customer; do
  printf 'def test_%s_is_there(rows):\\n    assert all(row["%s"] for row in rows)\\n' $name $name > tests/contracts/test_$name.py
done
git add -A && git commit -qm "Contract tests for payments" && git log -1 --stat --format=%s
```
"""
REVIEW = """Look at the thresholds.

```sh
wc -l tests/contracts/*.py
```
"""
NOTE = """# Sprint 31: trustworthy orders
- [x] Contract tests for payments
- [ ] No null keys past `staging`
- [ ] stg_orders incremental before month end"""


def answer(lab: Lab, session_id: str, kind: str) -> None:
    """Answer the session's next question as `mira`."""
    question = lab.wait_for(lambda: next((one for one in lab.get("permissions") if one["sessionId"] == session_id), None))
    option = next(one["id"] for one in question["options"] if one["kind"] == kind)
    lab.post(f"permissions/{question['id']}/answer", {"optionId": option})


def wait_state(lab: Lab, session_id: str, *states: str) -> None:
    lab.wait_for(lambda: lab.get(f"sessions/{session_id}")["state"] in states)


def lively(lab: Lab, board: str = BOARD) -> dict[str, str]:
    """A board with zones, a note, and work in every state. Answers the ids of the sessions by name."""
    repo = lab.root / "warehouse-data"
    sample(repo)
    lab.post("repos", {"path": str(repo), "slug": "warehouse-data"})
    lab.post("boards", {"path": board, "title": "warehouse"})
    for index, (name, height) in enumerate({"Build": 540, "Review": 540}.items()):
        lab.post(f"board/zones?path={board}", {"name": name, "x": index * 320, "y": 0, "width": 296, "height": height})
    lab.post(f"board/notes?path={board}", {"text": NOTE, "x": 12, "y": 556})

    def worktree(name: str, branch: str, column: int, y: int, person: str, **links: str) -> str:
        made = lab.post(
            "worktrees",
            {"repo": "warehouse-data", "name": name, "branch": branch, "board": board, "x": column * 320 + 12, "y": y, **links},
            person,
        )
        lab.wait_for(lambda: lab.get(f"worktrees/{made['id']}")["state"] == "ready")
        return made["id"]

    def session(worktree_id: str, title: str, prompt: str, person: str = "mira", **fields: str) -> str:
        body = {"worktreeId": worktree_id, "agent": "script", "title": title, "prompt": prompt, **fields}
        return lab.post("sessions", body, person)["id"]

    issues = "https://github.com/acme/warehouse/issues/"
    pulls = "https://github.com/acme/warehouse/pull/"
    incremental = worktree("Make stg_orders incremental", "incremental-stg-orders", 0, 66, "jonas", issueUrl=f"{issues}12")
    nulls = worktree("Fix null order_id in staging", "fix-null-keys", 0, 262, "mira", issueUrl=f"{issues}17")
    contracts = worktree(
        "Contract tests for payments", "payment-contracts", 1, 66, "jonas", issueUrl=f"{issues}21", pullRequestUrl=f"{pulls}57"
    )
    customers = worktree("Deduplicate customer_dim", "dedupe-customers", 1, 262, "mira", issueUrl=f"{issues}29")

    found = {"contracts": session(contracts, "Expectation suite", DONE, "jonas")}
    answer(lab, found["contracts"], "allow_always")
    found["customers"] = session(customers, "Window-function dedupe", FAILS)
    answer(lab, found["customers"], "allow_always")
    found["incremental"] = session(incremental, "Incremental model", INCREMENTAL, "jonas")
    answer(lab, found["incremental"], "allow_always")
    found["nulls"] = session(nulls, "Why is order_id null?", NULL_IDS)
    answer(lab, found["nulls"], "allow_once")
    wait_state(lab, found["contracts"], "done")
    found["review"] = session(contracts, "Look at the thresholds", REVIEW, "mira", parentId=found["contracts"])
    answer(lab, found["review"], "allow_always")
    wait_state(lab, found["review"], "done")
    wait_state(lab, found["customers"], "failed")
    wait_state(lab, found["incremental"], "running")
    wait_state(lab, found["nulls"], "needs_you")
    return found


def open_board(browser: Browser, lab: Lab, person: str, board: str = BOARD, *, is_dark: bool = False) -> Page:
    """The board in JupyterLab with its side bar closed."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark" if is_dark else "light")
    page = context.new_page()
    page.goto(f"{lab.url}agor-login-not-here?token={TOKENS[person]}")
    page.goto(f"{lab.url}lab/tree/{board}?reset")
    page.wait_for_selector(".agor-card")
    page.locator(".jp-SideBar.jp-mod-left .lm-mod-current").first.click()
    page.wait_for_selector("#jp-left-stack", state="hidden")
    page.get_by_label("Fit board").click()
    page.mouse.move(720, 4)
    return page


def main() -> None:
    home = Path(tempfile.mkdtemp())
    lab = Lab(home)
    try:
        lab.start()
        sessions = lively(lab)
        with sync_playwright() as playwright:
            program = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
            mira, jonas = (open_board(browser, lab, person) for person in ("mira", "jonas"))
            picture(mira, jonas, sessions)
            browser.close()
    finally:
        lab.stop()
        shutil.rmtree(home, ignore_errors=True)
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1000:.0f} kB")


def picture(mira: Page, jonas: Page, sessions: dict[str, str]) -> None:
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    mira.locator(f".agor-s[data-of='{sessions['nulls']}']").first.click()
    mira.wait_for_selector(".agor-panel [role=alertdialog]")
    mira.get_by_label("Fit board").click()
    mira.mouse.move(720, 4)
    place = jonas.locator(".agor-card", has_text="Contract tests").first.bounding_box()
    jonas.mouse.move(place["x"] + 200, place["y"] + 86, steps=4)
    mira.wait_for_selector(".agor-cursor >> text=Jonas")
    mira.screenshot(path=PICTURE)


if __name__ == "__main__":
    main()
