"""Who is who where one token lets everybody in: the demo."""

from typing import Any

from jupyter_server.auth.identity import PasswordIdentityProvider, User

from agor_jupyter.server.lifetime import operating_system_user


class OwnerFirst(PasswordIdentityProvider):
    """As Jupyter's own, but who runs the server has one name everywhere.

    The first browser, kernels and shells are the person whose account runs the server. Each further browser gets a random name, as it
    does from Jupyter, so that two people at two browsers are told apart.
    """

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        name = operating_system_user()
        self._owner = User(name, name, name, name[:1].upper())
        self._has_browser = False

    def generate_anonymous_user(self, handler: Any) -> User:
        """For a request that has the token and no cookie. A kernel and a shell send it as a header, a browser that comes first cannot."""
        if handler.request.headers.get("Authorization"):
            return self._owner
        if self._has_browser:
            return super().generate_anonymous_user(handler)
        self._has_browser = True
        return self._owner

    def user_from_cookie(self, cookie_value: str) -> User | None:
        user = super().user_from_cookie(cookie_value)
        if user is not None and user.username == self._owner.username:
            self._has_browser = True  # it came before this server was started again
        return user
