"""What the host says of itself, apart from its GPUs."""

from collections.abc import Mapping
from types import MappingProxyType

from sickbay.core.signal_fields import Field

KINDS: Mapping[str, Mapping[str, Field]] = MappingProxyType({})

EVENTS: frozenset[str] = frozenset()
"""Kinds that only ever say that something happened."""
