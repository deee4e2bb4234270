"""Which names and URLs are taken. Pure functions.

For what is made here they are stricter than git: what passes is also safe in a path and easy to read. What is there already may have any
name that git takes; it is passed to git as a full ref only, so that none can be meant as an option.
"""

import re
import unicodedata
from collections.abc import Sequence

from agor_jupyter.domain import errors

MAX_NAME = 200
_MAX_EXISTING = 1000
_NEVER = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]")
_HIDING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{device}{number}" for device in ("com", "lpt") for number in range(1, 10))})
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_USER = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_PATH = r"[^\s\x00-\x1f\x7f]+"
_HTTPS = re.compile(rf"https://{_HOST}(?::\d{{1,5}})?/{_PATH}")
_SSH = re.compile(rf"ssh://(?:{_USER}@)?{_HOST}(?::\d{{1,5}})?/{_PATH}")
_SCP = re.compile(rf"(?:{_USER}@)?{_HOST}:(?![:/\\]){_PATH}|(?:{_USER}@){_HOST}:/(?!/){_PATH}")
_FILE = re.compile(rf"file:///{_PATH}")


def check_branch(name: str, what: str = "Branch") -> str:
    """The name of a new branch, as `git check-ref-format --branch` takes it and with plain characters only."""
    why = _flaw(name)
    if why:
        suggestion = slugify(name)
        raise errors.BadName(what, name, why, suggestion if suggestion != name and not _flaw(suggestion) else None)
    return name


def _flaw(name: str) -> str | None:  # noqa: PLR0911 one sentence for each rule
    parts = name.split("/")
    if not name:
        return "it is empty"
    if len(name) > MAX_NAME:
        return f"it is longer than {MAX_NAME} characters"
    if not _ALLOWED.fullmatch(name):
        return "it must start with a letter or digit and have only letters, digits and . _ / - from ASCII"
    if ".." in name or any(not part or part.startswith((".", "-")) or part.endswith((".", ".lock")) for part in parts):
        return "git does not allow “..”, “//”, or a part that starts with “.” or “-” or ends with “.” or “.lock”"
    if any(part.lower() == "head" for part in parts) or name.lower().startswith("refs/"):
        return "it would be confused with git's own names"
    if any(part.split(".")[0].lower() in _RESERVED for part in parts):
        return "it is the name of a device on some systems"
    return None


def check_existing(name: str, what: str = "Branch") -> str:
    """The name of a branch, tag or commit that is there already: all that `git check-ref-format --branch` takes."""
    why = _flaw_for_git(name)
    if why:
        raise errors.BadName(what, name, why)
    return name


def _flaw_for_git(name: str) -> str | None:  # noqa: PLR0911 one sentence for each rule
    if not name:
        return "it is empty"
    if len(name) > _MAX_EXISTING:
        return f"it is longer than {_MAX_EXISTING} characters"
    if not _is_text(name):
        return "it is not UTF-8. Rename the branch with `git branch -m`"
    if "\0" in name:
        return "it has a NUL character"
    if found := _NEVER.search(name):
        return f"git takes no {found[0]!r} in a name"
    if ".." in name or "@{" in name or any(not part or part.startswith(".") or part.endswith(".lock") for part in name.split("/")):
        return "git does not allow “..”, “@{”, “//”, or a part that starts with “.” or ends with “.lock”"
    if name.endswith(".") or name.startswith("-") or name in {"HEAD", "@"}:
        return "git does not allow a branch of this name: “HEAD”, “@”, or anything that starts with “-” or ends with “.”"
    return None


def _is_text(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def shown(name: str) -> str:
    """A name that came from git, as UTF-8: a byte that is none stands as its number after a backslash, which git takes in no name."""
    return name if _is_text(name) else name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def parents(branch: str) -> list[str]:
    """The names that cannot be branches beside `branch`: `a` and `a/b` for `a/b/c`."""
    parts = branch.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def beside(branch: str) -> str | None:
    """A name for it that is no folder of others."""
    flat = branch.replace("/", "-")
    return flat if flat != branch and not _flaw(flat) else None


def check_title(title: str) -> str:
    """A name for people: free text in one line, without characters that hide or turn others."""
    stripped = title.strip()
    if not stripped:
        raise errors.BadName("Name", title, "it is empty")
    if len(stripped) > MAX_NAME:
        raise errors.BadName("Name", title, f"it is longer than {MAX_NAME} characters", slugify(stripped))
    if any(unicodedata.category(character) in _HIDING for character in stripped):
        raise errors.BadName("Name", title, "it has control or invisible characters", slugify(stripped) or None)
    return stripped


def slugify(text: str, limit: int = 60) -> str:
    """Lower case letters and digits of ASCII, joined by `-`. May be empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:limit].strip("-")
    return f"{slug}-1" if slug in _RESERVED or slug == "head" else slug


def check_url(url: str, protocols: Sequence[str]) -> str:
    """A URL that a clone may use. Refuses before git starts, by what is allowed and not by what is known to be bad."""
    if len(url) > 2000 or not url.isprintable() or not url.isascii():
        raise errors.BadUrl(url, "it is too long or has characters that are not allowed in a URL")
    scheme, has_scheme, rest = url.partition("://")
    if has_scheme and scheme == "https" and "@" in rest.split("/")[0]:
        raise errors.BadUrl(
            f"https://…@{rest.split('@')[-1]}",
            "it carries credentials, which would be stored in the clone where agents read them. Leave them out, and let git's "
            "own credential helper (`git config --global credential.helper`) or an SSH key supply them",
        )
    patterns = {"https": _HTTPS, "ssh": _SSH, "file": _FILE}
    if has_scheme:
        fits = scheme in protocols and scheme in patterns and bool(patterns[scheme].fullmatch(url))
    else:
        fits = "ssh" in protocols and bool(_SCP.fullmatch(url))
    if not fits:
        raise errors.BadUrl(url, "its form or its protocol is not allowed")
    return url


def name_of_url(url: str) -> str:
    return re.split(r"[/:]", url.rstrip("/"))[-1].removesuffix(".git")
