"""Where a node stands, and the parts of a fleet that an order or a budget can be about.

An area is written `fleet`, `pool:NAME`, `node:NAME`, or with the kind of a failure domain: `rack:NAME`,
`nvlink:NAME`, `switch:NAME`.
"""

import re
from dataclasses import dataclass

from sickbay.core.ids import NodeName

FLEET = "fleet"

DOMAIN_KINDS = ("rack", "nvlink", "switch")
"""What nodes can fail by together: power and cooling, an NVLink domain, a leaf switch."""

DEFAULT_POOL = "default"
"""The pool of nodes of which nobody said another."""

_KINDS = ("pool", "node", *DOMAIN_KINDS)
_NAME = re.compile(r"[^\s:]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a node stands. `domains` are areas such as `rack:r12`.

    A node of which no domain is known is a domain of its own: nothing is counted together with it but its
    pool.
    """

    node: NodeName
    pool: str = DEFAULT_POOL
    domains: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """The areas that have a budget of their own."""
        return (f"pool:{self.pool}", *self.domains)

    def is_in(self, area: str) -> bool:
        """Whether `area` covers the node."""
        return area in {FLEET, f"node:{self.node}", *self.groups}


def parse_area(text: str) -> str:
    """The area that a person wrote; a bare name is a node's.

    Raises:
        ValueError: for anything else; the message names the forms that are understood.
    """
    kind, colon, name = text.strip().partition(":")
    if kind == FLEET and not colon:
        return FLEET
    if not colon and _NAME.fullmatch(kind):
        return f"node:{kind}"
    if kind in _KINDS and _NAME.fullmatch(name):
        return f"{kind}:{name}"
    forms = ", ".join(f"{kind}:NAME" for kind in _KINDS)
    raise ValueError(f"{text!r} is no part of a fleet; expected {FLEET}, {forms} or a node's name")
