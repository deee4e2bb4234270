"""Your variables: environment variables for the agents in your sessions. Values can be set but are never shown."""

import getpass

from agor_jupyter.domain.variables import Variable, VariableSet
from agor_jupyter.notebook.handles import Handles, checked, columns
from agor_jupyter.notebook.link import Link


class Variables(Handles[Variable]):
    """The names. `hub.variables.set("NAME")` asks for a value, so that it does not end up in the notebook."""

    def __init__(self, link: Link) -> None:
        found = [Variable.model_validate(item) for item in link.items("variables")]
        super().__init__("variable", found, columns, lambda one: one.name, lambda one: f"Variable {one.name}", kind=Variable)
        self._link = link

    def set(self, name: str, value: str | None = None) -> Variable:
        """Store it, encrypted. Agents get it when they next start; in whatever they write, it is replaced by `[NAME]`.

        Args:
            value: at least 8 characters, since a shorter one could not be masked. Default: you are asked for it.

        """
        if value is None:
            value = getpass.getpass(f"{name}: ")
        with checked():
            body = VariableSet(value=value)
        return Variable.model_validate(self._link.patch(f"variables/{name}", body))

    def remove(self, name: str) -> None:
        self._link.delete(f"variables/{name}")
