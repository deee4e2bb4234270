"""`.agor.yml`: what a repository says about itself.

It is written by whoever wrote the repository, so it is read as data with narrow limits. What it asks to run when a worktree is made is run
only from the commit that the worktree starts from, of a repo that an owner registered; a later change in the worktree counts for nothing.
Its section `environment` is looked at when something wants to run it, so that a mistake there keeps nobody from a worktree.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agor_jupyter.documents.settings import marked
from agor_jupyter.documents.settings.fields import at, nearest
from agor_jupyter.domain import errors

FILE = ".agor.yml"
MAX_BYTES = marked.MAX_BYTES

_Line = Annotated[str, Field(min_length=1, max_length=4000)]
_Pattern = Annotated[str, Field(min_length=1, max_length=200)]


class Settings(BaseModel):
    """`setup` is one shell line, or several that run one after the other until one fails. `caches` names ignored files and folders that
    are no work, beside the declared ones: a name, or a path below the worktree, both as shell patterns. `version` is in files that were
    written for Agor.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    setup: _Line | Annotated[list[_Line], Field(max_length=50)] = Field(default_factory=list)
    caches: Annotated[list[_Pattern], Field(max_length=100)] = Field(default_factory=list)
    environment: Any = None
    version: Any = None

    @property
    def setup_lines(self) -> list[str]:
        return [self.setup] if isinstance(self.setup, str) else list(self.setup)


def parse(content: bytes) -> Settings:
    """Read the file's content. Empty content is no settings.

    Errors:
        BadSettings.
    """
    return check(marked.read(content, FILE))


def check(found: marked.Marked) -> Settings:
    """Errors:
    BadSettings.
    """
    if found.value is None:
        return Settings()
    if not isinstance(found.value, dict):
        raise errors.BadSettings(FILE, "it must have names at the top level, such as `setup: uv sync`")
    try:
        return Settings.model_validate(found.value)
    except ValidationError as error:
        problems = []
        for problem in error.errors():
            name = str(problem["loc"][0])
            if problem["type"] == "extra_forbidden":
                known = [field for field in Settings.model_fields if field != "version"]
                problems.append(f"{name[:80]!r} is not known{at(found, (name,))}; {nearest(name, known)}")
            else:
                problems.append(f"{name!r}: {problem['msg']}{at(found, (name,))}")
        raise errors.BadSettings(FILE, "; ".join(dict.fromkeys(problems[:5]))) from error
