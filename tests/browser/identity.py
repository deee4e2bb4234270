"""Who is who in a browser test: each person has a token, so each browser is logged in by its own address."""

from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.identity import IdentityProvider, User

PEOPLE = {
    "token-mira": User(
        username="mira", name="Mira Okafor", display_name="Mira Okafor", initials="MO", color="var(--jp-collaborator-color1)"
    ),
    "token-jonas": User(
        username="jonas", name="Jonas Lind", display_name="Jonas Lind", initials="JL", color="var(--jp-collaborator-color3)"
    ),
    "token-vera": User(username="vera", name="Vera Novak", display_name="Vera Novak", initials="VN", color="var(--jp-collaborator-color6)"),
}
VIEWERS = {"vera"}


class People(IdentityProvider):
    """A token names a person; the cookie that the login sets carries them."""

    @property
    def login_available(self):
        return True

    @property
    def auth_enabled(self):
        return True

    def get_user_token(self, handler):
        return PEOPLE.get(self.get_token(handler) or "")


class Rights(Authorizer):
    """Viewers read, all others may do everything."""

    def is_authorized(self, handler, user, action, resource):
        return action == "read" or user.username not in VIEWERS
