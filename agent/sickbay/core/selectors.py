"""Which nodes and GPUs a rule is for. What is not known is not chosen, so that no rule acts on a guess."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from sickbay.core.devices import Subject
from sickbay.core.facts import Facts
from sickbay.core.versions import VersionRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """What must all be so; an empty part asks for nothing.

    `platform` and `pool` are exact names, `node` are patterns as a shell writes them (`gpu-*`). A rule with a
    platform is asked of a node's own signals when every GPU of the node is of one of those platforms.
    """

    platform: tuple[str, ...] = ()
    driver: VersionRange | None = None
    pool: tuple[str, ...] = ()
    node: tuple[str, ...] = ()

    def chooses(self, facts: Facts, subject: Subject) -> bool:
        """Whether the rule is for signals about `subject` on such a node."""
        return (
            (not self.pool or facts.pool in self.pool)
            and (not self.node or any(fnmatchcase(facts.node, pattern) for pattern in self.node))
            and (self.driver is None or self.driver.holds(facts.driver) is True)
            and (not self.platform or self._is_platform(facts, subject))
        )

    def _is_platform(self, facts: Facts, subject: Subject) -> bool:
        if subject.gpu_key:
            gpu = facts.gpu_of(subject)
            return gpu is not None and gpu.platform in self.platform
        return bool(facts.gpus) and all(gpu.platform in self.platform for gpu in facts.gpus.values())

    def __str__(self) -> str:
        parts = (
            ("platform", "|".join(self.platform)),
            ("driver", str(self.driver or "")),
            ("pool", "|".join(self.pool)),
            ("node", "|".join(self.node)),
        )
        return "; ".join(f"{name} {text}" for name, text in parts if text)
