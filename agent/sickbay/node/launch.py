"""The entry point `sickbay-agent`: settles how the process spends memory, then begins.

An agent runs on every host beside work that was paid for, so what it never uses it should not carry:

* Python's `ssl` and OpenSSL, 5 MB. asyncio and hashlib both do without them, by their own provision for
  builds that lack them, and nothing else in the agent would use them: gRPC brings its own TLS.
* An arena of the allocator for each thread, 1 MB. The agent's threads wait; they do not contend.
"""

import ctypes
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_M_ARENA_MAX = -8
"""mallopt(3), <malloc.h> of glibc; another C library ignores it or has no such function."""

_OWN_HASHES = ("_sha256", "_sha2"), ("_sha512", "_sha2"), ("_sha1",), ("_md5",), ("_sha3",), ("_blake2",)
"""Python's own modules for what hashlib promises always to have; the first of each is 3.11's name, the second
that of 3.12 and later. Some distributions leave them out, and OpenSSL is needed there."""


def main() -> None:
    """Begin as `sickbay.node.main` does."""
    spare_memory()
    from sickbay.node.main import main as begin  # noqa: PLC0415 - it imports what is spared above

    begin()


def spare_memory() -> None:
    """Leave out what the agent has no use for. To be called before asyncio and hashlib are imported.

    A module that is None in `sys.modules` is one that is not installed (Python's reference, 5.3.1).
    """
    _leave_out("ssl")
    if all(any(find_spec(name) for name in names) for names in _OWN_HASHES):
        _leave_out("_hashlib")
    limit = getattr(ctypes.CDLL(None), "mallopt", None)
    if limit is not None:
        limit(_M_ARENA_MAX, 1)


def _leave_out(module: str) -> None:
    modules = cast("MutableMapping[str, object]", sys.modules)
    modules.setdefault(module, None)


if __name__ == "__main__":
    main()
