"""`.agor.yml`: what a repository says about itself.

It is written by whoever wrote the repository, so it is read as data with narrow limits. What it asks to run is run only from the
commit that the worktree starts from, of a repo that an owner registered; a later change in the worktree counts for nothing.
"""

import shlex
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agor_jupyter.domain import errors

FILE = ".agor.yml"
MAX_BYTES = 64 * 1024

_Line = Annotated[str, Field(min_length=1, max_length=4000)]
_Pattern = Annotated[str, Field(min_length=1, max_length=200)]


class Settings(BaseModel):
    """`setup` is one shell line, or several that run one after the other until one fails. `caches` names ignored files and folders that
    are no work, beside the declared ones: a name, or a path below the worktree, both as shell patterns.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    setup: _Line | Annotated[list[_Line], Field(max_length=50)] = Field(default_factory=list)
    caches: Annotated[list[_Pattern], Field(max_length=100)] = Field(default_factory=list)

    @property
    def setup_lines(self) -> list[str]:
        return [self.setup] if isinstance(self.setup, str) else list(self.setup)


def parse(content: bytes) -> Settings:
    """Read the file's content. Empty content is no settings."""
    if len(content) > MAX_BYTES:
        raise errors.BadSettings(FILE, f"it is longer than {MAX_BYTES // 1024} KiB")
    try:
        text = content.decode()
        if any(isinstance(token, yaml.AliasToken | yaml.AnchorToken) for token in yaml.scan(text)):
            raise errors.BadSettings(FILE, "anchors and aliases are not supported")
        found = yaml.safe_load(text)
    except errors.BadSettings:
        raise
    except UnicodeDecodeError as error:
        raise errors.BadSettings(FILE, "it is not UTF-8") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise errors.BadSettings(FILE, f"it is not YAML{f' (line {mark.line + 1})' if mark else ''}") from error
    if found is None:
        return Settings()
    if not isinstance(found, dict):
        raise errors.BadSettings(FILE, "it must have names at the top level, such as `setup: uv sync`")
    try:
        return Settings.model_validate(found)
    except ValidationError as error:
        problems = []
        for problem in error.errors():
            name = shlex.quote(str(problem["loc"][0])) if problem["loc"] else FILE
            is_unknown = problem["type"] == "extra_forbidden"
            problems.append(
                f"{name} is not known; known names are: {', '.join(Settings.model_fields)}" if is_unknown else f"{name}: {problem['msg']}"
            )
        raise errors.BadSettings(FILE, "; ".join(dict.fromkeys(problems))) from error
