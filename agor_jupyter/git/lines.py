"""Counts the lines that differ between two contents exactly as `git diff --numstat` does, or says that it would take git to know."""

from collections import Counter

_LONGEST = 400
"""Of what is left to compare. In longer ones git takes short cuts that are not taken here."""
_BINARY_BYTES = 8000


def differing(old: bytes, new: bytes) -> tuple[int, int] | None:
    """Lines added and deleted; none for a binary. `None`: only git knows."""
    if b"\0" in old[:_BINARY_BYTES] or b"\0" in new[:_BINARY_BYTES]:
        return 0, 0
    before, after = old.split(b"\n"), new.split(b"\n")
    for lines in (before, after):  # a last line without an end is another line than the same with one
        last = lines.pop()
        lines[:] = [line + b"\n" for line in lines] + ([last] if last else [])
    seldom_before, seldom_after = _square_root(len(before)), _square_root(len(after))
    counted_before, counted_after = Counter(before), Counter(after)
    start, ends = 0, (len(before), len(after))
    while start < min(ends) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(ends) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    left, right = before[start : ends[0] - end], after[start : ends[1] - end]
    common_left = [line for line in left if line in counted_after]
    common_right = [line for line in right if line in counted_before]
    if common_left and common_right:
        if len(common_left) + len(common_right) > _LONGEST:
            return None
        is_usual = any(counted_after[line] >= seldom_before for line in common_left)
        if is_usual or any(counted_before[line] >= seldom_after for line in common_right):
            return None
        same = (len(common_left) + len(common_right) - _distance(common_left, common_right)) // 2
    else:
        same = 0
    return len(right) - same, len(left) - same


def _square_root(number: int) -> int:
    """Git's own rough one: from so many on, a line is too usual to be matched with care."""
    root = 1
    while number > 0:
        root <<= 1
        number >>= 2
    return root


def _distance(left: list[bytes], right: list[bytes]) -> int:
    """The fewest lines to take out of and to put into `left` to make it `right` (Myers)."""
    furthest = {1: 0}
    for edits in range(len(left) + len(right) + 1):
        for diagonal in range(-edits, edits + 1, 2):
            if diagonal == -edits or (diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1]):
                x = furthest[diagonal + 1]
            else:
                x = furthest[diagonal - 1] + 1
            y = x - diagonal
            while x < len(left) and y < len(right) and left[x] == right[y]:
                x, y = x + 1, y + 1
            furthest[diagonal] = x
            if x >= len(left) and y >= len(right):
                return edits
    raise AssertionError(left, right)
