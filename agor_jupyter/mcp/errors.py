"""An error of the engine as a tool's answer: the agent reads the same sentence as a person."""

from pydantic import ValidationError

from agor_jupyter.domain.errors import AgorError


def explain(error: AgorError | ValidationError) -> str:
    if isinstance(error, AgorError):
        return error.message
    return "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
