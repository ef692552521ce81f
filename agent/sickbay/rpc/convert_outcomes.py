"""What came of an effect, there and back."""

from sickbay.core.outcomes import Outcome, Verdict
from sickbay.rpc.convert_values import EnumCodec, text
from sickbay.v1 import types_pb2 as pb

VERDICTS = EnumCodec(pb.Verdict, Verdict, prefix="VERDICT", safest=Verdict.UNKNOWN)


def wire_outcome(outcome: Outcome) -> pb.Outcome:
    """What came of an effect."""
    return pb.Outcome(verdict=VERDICTS.wire(outcome.verdict), detail=text(outcome.detail))


def core_outcome(message: pb.Outcome) -> Outcome:
    """What came of an effect; an outcome that was left out, or is of a kind that came later, is UNKNOWN."""
    return Outcome(verdict=VERDICTS.core(message.verdict), detail=message.detail)
