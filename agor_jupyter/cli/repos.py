"""`jupyter agor repo`."""

import re
from pathlib import Path

import typer

from agor_jupyter.cli.output import AsJson, facts, show_json, table
from agor_jupyter.cli.reach import link
from agor_jupyter.cli.reach import repo as find
from agor_jupyter.client.paths import absolute
from agor_jupyter.domain.repos import Branch, Repo, RepoAdd
from agor_jupyter.domain.worktrees import Relocate
from agor_jupyter.notebook.following import settle_repo

app = typer.Typer(no_args_is_help=True)


def _show(repo: Repo, as_json: bool) -> None:
    if as_json:
        show_json(repo)
    else:
        facts(
            [
                ("name", repo.slug),
                ("state", repo.state),
                ("path", repo.path),
                ("url", repo.url),
                ("default branch", repo.default_branch),
                ("reason", repo.reason),
            ]
        )


@app.command()
def add(
    place: str = typer.Argument(metavar="PLACE", help="A local checkout, or a git URL to clone."),
    name: str | None = typer.Option(None, help="Short name. Default: taken from the place."),
    as_json: AsJson = False,
) -> None:
    """Register a local checkout, or clone a URL."""
    is_url = re.match(r"^([a-z+]+://|[\w.-]+@[\w.-]+:)", place) is not None
    body = RepoAdd(url=place, slug=name) if is_url else RepoAdd(path=str(absolute(place).resolve()), slug=name)
    _show(settle_repo(link(), Repo.model_validate(link().post("repos", body))), as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the repositories."""
    repos = [Repo.model_validate(item) for item in link().items("repos")]
    if as_json:
        show_json(repos)
    else:
        table(
            ["name", "state", "default branch", "path"], [(one.slug, one.state, one.default_branch, one.path) for one in repos], "No repos."
        )


@app.command()
def remove(repo: str = typer.Argument(metavar="REPO", help="Name, id or path."), as_json: AsJson = False) -> None:
    """Forget a repository. Your checkout stays as it is."""
    one = find(repo)
    link().delete(f"repos/{one.id}")
    if as_json:
        show_json(one)
    else:
        print(f"Removed {one.slug}.")


@app.command()
def relocate(
    repo: str = typer.Argument(metavar="REPO", help="Name, or id."),
    path: Path = typer.Argument(metavar="PATH", help="Where the checkout is now."),
    as_json: AsJson = False,
) -> None:
    """Follow a checkout that was moved, with its worktrees."""
    body = Relocate(path=str(absolute(path)))
    _show(Repo.model_validate(link().post(f"repos/{find(repo).id}/relocate", body)), as_json)


@app.command()
def branches(repo: str = typer.Argument(metavar="REPO", help="Name, id or path."), as_json: AsJson = False) -> None:
    """List the branches of a repository."""
    found = [Branch.model_validate(item) for item in link().items(f"repos/{find(repo).id}/branches")]
    if as_json:
        show_json(found)
    else:
        table(["branch", "commit", "checked out in"], [(one.name, one.sha[:10], one.checked_out_at) for one in found], "No branches.")
