"""Rule sets and what agents say of them, there and back. Texts travel deflated, and are bounded both ways."""

import zlib
from functools import lru_cache

from google.protobuf.message import DecodeError

from sickbay.core.rule_bundles import (
    MOST_BYTES,
    RuleBundle,
    RuleFile,
    RuleLayer,
    RuleSetOffer,
    RulesReport,
)
from sickbay.rpc.convert_values import integer, seconds, text
from sickbay.v1 import coordinator_pb2 as pb

MOST_DEFLATED = 3 * 1024 * 1024
"""Bytes of a set on the wire: gRPC takes messages of up to 4 MiB."""

MOST_PROBLEMS = 20
"""Problems told of one refused set: enough to mend it, whatever a thousand files have wrong."""

_SLACK = 1024 * 1024
"""Bytes for names and tags beside the texts."""


def too_large(bundle: RuleBundle) -> str:
    """Why the set does not fit into a message; empty when it does."""
    size = len(deflated(bundle))
    return f"{size} bytes deflated; at most {MOST_DEFLATED} can be handed out" * (size > MOST_DEFLATED)


@lru_cache(maxsize=4)
def deflated(bundle: RuleBundle) -> bytes:
    """The set as it travels; made once for all agents that it is handed to."""
    layers = [
        pb.RuleLayer(
            origin=text(layer.origin),
            files=[pb.RuleFile(name=text(file.name), text=text(file.text)) for file in layer.files],
        )
        for layer in bundle.layers
    ]
    return zlib.compress(pb.RuleLayers(layers=layers).SerializeToString(deterministic=True))


def wire_offer(offer: RuleSetOffer) -> pb.RuleSet:
    """A set for an agent."""
    content = b"" if offer.bundle is None else deflated(offer.bundle)
    return pb.RuleSet(digest=text(offer.digest), version=integer(offer.version), content=content)


def core_offer(message: pb.RuleSet) -> RuleSetOffer:
    """A set from a coordinator; what cannot be unpacked says so in `unreadable`."""
    offer = RuleSetOffer(digest=message.digest, version=message.version)
    if not message.digest:
        return offer
    try:
        layers = pb.RuleLayers.FromString(_inflated(message.content))
    except (zlib.error, DecodeError, ValueError) as error:
        why = f"the set cannot be unpacked: {error}"
        return RuleSetOffer(digest=message.digest, version=message.version, unreadable=why)
    return RuleSetOffer(digest=message.digest, version=message.version, bundle=_bundle(layers))


def wire_rules_report(report: RulesReport) -> pb.RulesReport:
    """Which rules an agent runs."""
    return pb.RulesReport(
        takes=report.takes,
        running=text(report.running),
        version=integer(report.version),
        since=report.since,
        refused=text(report.refused),
        problems=[text(problem) for problem in report.problems[:MOST_PROBLEMS]],
        rules_digest=text(report.rules_digest),
    )


def core_rules_report(message: pb.RulesReport) -> RulesReport:
    """Which rules an agent runs; one that was left out is of an agent that takes none."""
    return RulesReport(
        takes=message.takes,
        running=message.running,
        version=message.version,
        since=seconds(message.since),
        refused=message.refused,
        problems=tuple(message.problems[:MOST_PROBLEMS]),
        rules_digest=message.rules_digest,
    )


def _inflated(content: bytes) -> bytes:
    """The bytes, no more than a set may have: a few kilobytes can unfold into gigabytes."""
    unpacking = zlib.decompressobj()
    found = unpacking.decompress(content, MOST_BYTES + _SLACK)
    if unpacking.unconsumed_tail or not unpacking.eof:
        raise ValueError(f"it is cut off, or more than {MOST_BYTES} bytes")
    return found


def _bundle(message: pb.RuleLayers) -> RuleBundle:
    return RuleBundle(
        layers=tuple(
            RuleLayer(
                origin=layer.origin,
                files=tuple(RuleFile(name=file.name, text=file.text) for file in layer.files),
            )
            for layer in message.layers
        ),
    )
