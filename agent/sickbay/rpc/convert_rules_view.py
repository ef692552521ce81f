"""What operators are shown of the rules of a fleet, there and back."""

from sickbay.core.ids import NodeName, RuleId
from sickbay.core.rules_views import AwaitingRule, RefusedByNode, RolloutChange, RulesOnNodes, RulesView
from sickbay.rpc.convert_values import EnumCodec, integer, seconds, text
from sickbay.v1 import fleet_pb2 as pb

CHANGES = EnumCodec(pb.RolloutChange, RolloutChange, prefix="ROLLOUT_CHANGE", safest=RolloutChange.HOLD)


def wire_rules(view: RulesView) -> pb.GetRulesResponse:
    """The rules of a fleet."""
    return pb.GetRulesResponse(
        candidate=text(view.candidate),
        version=integer(view.version),
        rules=integer(view.rules),
        refused=[text(problem) for problem in view.refused],
        base=text(view.base),
        target=text(view.target),
        phase=text(view.phase),
        why=text(view.why),
        stage=integer(view.stage),
        stages=integer(view.stages),
        stage_is=text(view.stage_is),
        since=view.since,
        chosen=integer(view.chosen),
        running=[_wire_running(each) for each in view.running],
        refusals=[_wire_refusal(each) for each in view.refusals],
        awaiting=[
            pb.AwaitingRule(id=text(each.rule), mode=text(each.mode), changed=each.changed)
            for each in view.awaiting
        ],
        not_taking=integer(view.not_taking),
    )


def core_rules(message: pb.GetRulesResponse) -> RulesView:
    """The rules of a fleet."""
    return RulesView(
        candidate=message.candidate,
        version=message.version,
        rules=message.rules,
        refused=tuple(message.refused),
        base=message.base,
        target=message.target,
        phase=message.phase,
        why=message.why,
        stage=message.stage,
        stages=message.stages,
        stage_is=message.stage_is,
        since=seconds(message.since),
        chosen=message.chosen,
        running=tuple(
            RulesOnNodes(digest=each.digest, version=each.version, nodes=each.nodes, connected=each.connected)
            for each in message.running
        ),
        refusals=tuple(
            RefusedByNode(node=NodeName(each.node), digest=each.digest, problems=tuple(each.problems))
            for each in message.refusals
        ),
        awaiting=tuple(
            AwaitingRule(rule=RuleId(each.id), mode=each.mode, changed=each.changed)
            for each in message.awaiting
        ),
        not_taking=message.not_taking,
    )


def _wire_running(each: RulesOnNodes) -> pb.RulesOnNodes:
    return pb.RulesOnNodes(
        digest=text(each.digest),
        version=integer(each.version),
        nodes=integer(each.nodes),
        connected=integer(each.connected),
    )


def _wire_refusal(each: RefusedByNode) -> pb.RefusedByNode:
    return pb.RefusedByNode(
        node=text(each.node),
        digest=text(each.digest),
        problems=[text(problem) for problem in each.problems],
    )
