"""Keeps a block's output within bounds: the beginning as it comes, then only the end."""

import codecs

LIMIT = 4 << 20
_TAIL = 64 << 10


class Output:
    """Bytes in, text out. Of more than `limit` bytes the middle is dropped, and the text says how much."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._left = limit - _TAIL
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._tail = bytearray()
        self._beyond = 0

    def feed(self, received: bytes) -> str:
        """What can be shown now."""
        shown, rest = received[: self._left], received[self._left :]
        self._left -= len(shown)
        if rest:
            self._beyond += len(rest)
            self._tail += rest
            if len(self._tail) > 2 * _TAIL:
                del self._tail[:-_TAIL]
        return self._decoder.decode(shown)

    def finish(self) -> str:
        """The end, and how much is missing before it."""
        last = self._decoder.decode(b"", final=True)
        tail = bytes(self._tail[-_TAIL:])
        dropped = self._beyond - len(tail)
        mark = f"\n… {dropped:,} bytes of output were left out …\n" if dropped else ""
        return f"{last}{mark}{tail.decode('utf-8', 'replace')}"
