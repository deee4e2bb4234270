"""Ids: a prefix that names the noun, then 20 characters that sort by time of creation.

The characters are Crockford's base 32: 9 of milliseconds since 1970, 11 of randomness (55 bits).
"""

from typing import NewType

RepoId = NewType("RepoId", str)
WorktreeId = NewType("WorktreeId", str)
SessionId = NewType("SessionId", str)
TurnId = NewType("TurnId", str)
PermissionId = NewType("PermissionId", str)
RunId = NewType("RunId", str)
ObjectId = NewType("ObjectId", str)
RuleId = NewType("RuleId", str)
TrustId = NewType("TrustId", str)
BudgetId = NewType("BudgetId", str)
TokenId = NewType("TokenId", str)
AttachmentId = NewType("AttachmentId", str)
FiringId = NewType("FiringId", str)
DeliveryId = NewType("DeliveryId", str)
ScheduleId = NewType("ScheduleId", str)
SlotId = NewType("SlotId", str)
DestinationId = NewType("DestinationId", str)

PREFIXES = {
    "repo": "re",
    "worktree": "wt",
    "session": "se",
    "turn": "tu",
    "permission": "pe",
    "run": "ru",
    "object": "ob",
    "rule": "rl",
    "budget": "bu",
    "trust": "tr",
    "token": "tk",
    "firing": "fi",
    "delivery": "de",
    "schedule": "sc",
    "slot": "sl",
    "destination": "ds",
}

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def make(noun: str, milliseconds: int, random: int) -> str:
    """An id for `noun`, from the time in milliseconds and 55 random bits."""
    number = (milliseconds << 55) | (random & ((1 << 55) - 1))
    characters = [_ALPHABET[(number >> shift) & 31] for shift in range(95, -1, -5)]
    return f"{PREFIXES[noun]}_{''.join(characters)}"
