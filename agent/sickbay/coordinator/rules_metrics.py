"""The figures of the rules of a fleet for Prometheus: a handful of series, whatever the fleet's size."""

from prometheus_client import CollectorRegistry, Gauge

from sickbay.core.rollout import Phase
from sickbay.core.rules_views import RulesView

_SHOWN = 12
"""Characters of a digest."""


class RulesMetrics:
    """Written by the event loop a few times a minute, served with the other figures."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Declare every figure in `registry`."""
        self._refused = Gauge(
            "sickbay_rules_files_refused",
            "Problems of the coordinator's rule files as they are now; 0 while they are in force",
            registry=registry,
        )
        self._phase = Gauge(
            "sickbay_rules_rollout",
            "How the roll-out of rules stands: 1 for the word that holds, 0 for the others",
            ["phase"],
            registry=registry,
        )
        self._nodes = Gauge(
            "sickbay_rules_nodes", "Known nodes, by the rule set that they run", ["set"], registry=registry
        )
        self._refusing = Gauge(
            "sickbay_rules_refused_by_nodes",
            "Nodes that refused the rule set last handed to them",
            registry=registry,
        )
        self._awaiting = Gauge(
            "sickbay_rules_awaiting_confirmation",
            "Built-in rules that only observe until a person confirms them",
            registry=registry,
        )

    def refresh(self, view: RulesView) -> None:
        """Take the rules as they are."""
        self._refused.set(len(view.refused))
        for phase in Phase:
            self._phase.labels(phase.value).set(phase.value == view.phase)
        self._nodes.clear()
        for each in view.running:
            self._nodes.labels(each.digest[:_SHOWN] or "own").set(each.nodes)
        self._refusing.set(len(view.refusals))
        self._awaiting.set(len(view.awaiting))
