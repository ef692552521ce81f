"""A staged roll-out of a rule set: who may run it by now, when the next stage begins, and when it stops.

Pure. The caller keeps a `Rollout` before anything is sent that it asks for, and asks `wanted` for each node;
so a process that dies at any moment goes on from what it kept. What must hold, and is tested:

* nobody outside `chosen` is handed the target before the last stage has begun;
* a stage adds the nodes of its pools and no more than its percentage of the fleet;
* a roll-out that is held hands nothing to anybody, and only a person moves it again;
* going back is always allowed, at once and for all.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from sickbay.core.ids import NodeName
from sickbay.core.instants import format_duration
from sickbay.core.rule_bundles import OWN

ALL = 100.0
"""Per cent."""

_NAMED = 3
"""Nodes named in a sentence; the rest is counted."""


class Phase(Enum):
    """IDLE: everybody runs `base`. ROLLING: stage by stage. HELD: nothing moves until a person says so."""

    IDLE = "idle"
    ROLLING = "rolling"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Who comes in: all nodes of these pools, and others up to so many per cent of the fleet in all."""

    pools: tuple[str, ...] = ()
    percent: float = 0.0

    def __str__(self) -> str:
        said = [f"pool {pool}" for pool in self.pools]
        if self.percent:
            said.append(f"{self.percent:g} % of the nodes")
        return " and ".join(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How careful to be. Spans are seconds.

    The last stage is for all. `soak`: once a stage's nodes run the set, for so long before the next begins.
    `max_failures`: more nodes than that which refuse it, fall silent with it or do not answer, and the
    roll-out holds.
    `max_new_conditions`: so many more conditions a node on average than opened in as long a time before.
    `answer`: by when a connected node has answered. `silence`: after it a node that ran the set counts as
    fallen silent.
    """

    stages: tuple[Stage, ...]
    soak: float = 3600.0
    max_failures: int = 0
    max_new_conditions: float = 0.5
    answer: float = 600.0
    silence: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One node that takes rule sets, as it is now. Spans are seconds.

    `running` is what it said last (empty: its own files), `connected_for` None while it is not connected,
    `silent_for` since it was last heard. `opened` counts its open conditions that began since it runs what it
    runs, `opened_before` those that began in as long a time before that.
    """

    node: NodeName
    pool: str = ""
    running: str = ""
    refused: str = ""
    connected_for: float | None = None
    silent_for: float = 0.0
    opened: int = 0
    opened_before: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """Where a roll-out stands. Sets are named by digest.

    `base` is for everybody outside of it; empty: whatever they have; OWN: their own files. `target` is what
    is rolled out, `previous` what `base` was before, to go back to. `stage` counts from 0; `chosen` are the
    nodes that have come in so far. `since` is when the stage began, `soaking` since when all of its nodes
    that are there have run the target (Unix seconds). `excused` are nodes whose failure a person has seen and
    let pass.
    """

    phase: Phase = Phase.IDLE
    base: str = ""
    target: str = ""
    previous: str = ""
    stage: int = 0
    chosen: tuple[NodeName, ...] = ()
    since: float = 0.0
    soaking: float | None = None
    excused: tuple[NodeName, ...] = ()
    why: str = ""

    @property
    def is_over(self) -> bool:
        """Whether there is nothing to roll out."""
        return self.phase is Phase.IDLE


def begun(rollout: Rollout, target: str, plan: Plan, members: Iterable[Member], now: float) -> Rollout:
    """A roll-out of `target`, at its first stage; one that is under way ends where it stands.

    The same set as everybody runs, or as is being rolled out, changes nothing.
    """
    if target == (rollout.base if rollout.is_over else rollout.target):
        return rollout
    fresh = replace(rollout, phase=Phase.ROLLING, target=target, chosen=(), excused=(), why="")
    return _at_stage(fresh, 0, plan, tuple(members), now)


def held(rollout: Rollout, why: str) -> Rollout:
    """Nothing moves until a person says so."""
    return replace(rollout, phase=Phase.HELD, why=why) if rollout.phase is Phase.ROLLING else rollout


def resumed(rollout: Rollout, plan: Plan, members: Iterable[Member], now: float) -> Rollout:
    """Go on at a person's word: what failed so far is let pass, and the stage soaks anew.

    A stage that chose nobody is passed over, as there is nothing in it to wait for.
    """
    if rollout.phase is not Phase.HELD:
        return rollout
    known = tuple(members)
    failing = {member.node for member, _ in _failures(rollout, plan, known, now)}
    excused = tuple(sorted({*rollout.excused, *failing}))
    going = replace(rollout, phase=Phase.ROLLING, why="", soaking=None, since=now, excused=excused)
    return going if going.chosen else _next(going, plan, known, now)


def rolled_back(rollout: Rollout, why: str) -> Rollout:
    """Everybody runs at once what ran before: before this roll-out, or before the one that ended last."""
    if not rollout.is_over:
        return replace(_ended(rollout, why), base=rollout.base or OWN)
    return replace(rollout, base=rollout.previous or OWN, previous=rollout.base, why=why)


def advanced(rollout: Rollout, plan: Plan, members: Iterable[Member], now: float) -> Rollout:
    """The roll-out after a look at the nodes: soaking, at the next stage, at its end, or held."""
    if rollout.phase is not Phase.ROLLING:
        return rollout
    known = tuple(members)
    inside = _inside(rollout, plan, known)
    if why := _why_hold(rollout, plan, inside, now):
        return held(rollout, why)
    if not _runs(rollout, inside):
        return rollout
    if rollout.soaking is None:
        return rollout if _pending(rollout, plan, inside, now) else replace(rollout, soaking=now)
    if now - rollout.soaking < plan.soak or _pending(rollout, plan, inside, now):
        return rollout
    return _next(rollout, plan, known, now)


def wanted(rollout: Rollout, plan: Plan, node: NodeName) -> str:
    """What the node is to run: a digest, OWN, or nothing where it keeps what it has."""
    if rollout.is_over:
        return rollout.base
    if _is_last(rollout, plan) or _has(rollout.chosen, node):
        return rollout.target
    return rollout.base


def due(rollout: Rollout, plan: Plan, member: Member) -> str:
    """What to hand to the node now; nothing where it runs that, has refused it, or the roll-out is held.

    A node that a person excused is asked once more, by whoever forgets its refusal.
    """
    if rollout.phase is Phase.HELD or member.connected_for is None:
        return ""
    want = wanted(rollout, plan, member.node)
    runs = member.running or OWN
    return "" if want in {runs, member.refused} else want


def describe(rollout: Rollout, plan: Plan) -> str:
    """The stage in words."""
    if rollout.is_over or rollout.stage >= len(plan.stages):
        return ""
    return str(plan.stages[rollout.stage])


# ---- stages ----------------------------------------------------------------------------------------------


def selection(stage: Stage, members: Sequence[Member], already: Collection[NodeName]) -> tuple[NodeName, ...]:
    """The nodes that are in once this stage begins: those `already` in, its pools, and others by their hash.

    The same fleet gives the same choice on every machine, and a node's place in the order never changes.
    """
    chosen = {*already, *(m.node for m in members if m.pool and m.pool in stage.pools)}
    room = _share(stage.percent, len(members)) - len(chosen)
    others = sorted((m.node for m in members if m.node not in chosen), key=_order)
    return tuple(sorted((*chosen, *others[: max(room, 0)])))


def _has(chosen: Sequence[NodeName], node: NodeName) -> bool:
    """Whether the node is among them; they are sorted, and each of thousands of nodes is asked for."""
    at = bisect_left(chosen, node)
    return at < len(chosen) and chosen[at] == node


def _share(percent: float, nodes: int) -> int:
    """Of so many nodes, rounded down; but one at least where there is any."""
    return min(max(int(nodes * percent / ALL), 1), nodes) if percent > 0 else 0


def _order(node: NodeName) -> tuple[bytes, str]:
    return hashlib.sha256(node.encode()).digest(), node


def _at_stage(rollout: Rollout, stage: int, plan: Plan, members: Sequence[Member], now: float) -> Rollout:
    at = plan.stages[stage]
    chosen = selection(at, members, rollout.chosen)
    moved = replace(rollout, stage=stage, chosen=chosen, since=now, soaking=None)
    if chosen == rollout.chosen and not _is_last(moved, plan):
        return held(
            moved, f"stage {stage + 1} ({at}) brings no node in: is a pool misspelt, or its agents away?"
        )
    return moved


def _next(rollout: Rollout, plan: Plan, members: Sequence[Member], now: float) -> Rollout:
    if not _is_last(rollout, plan):
        # A plan that was shortened meanwhile is entered again at its last stage, never passed by.
        return _at_stage(rollout, min(rollout.stage + 1, len(plan.stages) - 1), plan, members, now)
    done = _ended(rollout, "every stage ended well")
    return replace(done, base=rollout.target, previous=rollout.base)


def _ended(rollout: Rollout, why: str) -> Rollout:
    return replace(
        rollout, phase=Phase.IDLE, target="", stage=0, chosen=(), soaking=None, excused=(), why=why
    )


def _is_last(rollout: Rollout, plan: Plan) -> bool:
    """Whether the stage is for all."""
    return rollout.stage == len(plan.stages) - 1 and plan.stages[rollout.stage].percent >= ALL


def _inside(rollout: Rollout, plan: Plan, members: Sequence[Member]) -> tuple[Member, ...]:
    if _is_last(rollout, plan):
        return tuple(members)
    chosen = set(rollout.chosen)
    return tuple(member for member in members if member.node in chosen)


# ---- why it stops ----------------------------------------------------------------------------------------


def _why_hold(rollout: Rollout, plan: Plan, inside: Sequence[Member], now: float) -> str:
    excused = set(rollout.excused)
    new = [each for each in _failures(rollout, plan, inside, now) if each[0].node not in excused]
    stuck = not _runs(rollout, inside) and not _pending(rollout, plan, inside, now)
    if new and (len(new) > plan.max_failures or stuck):
        named = "; ".join(f"{member.node} {why}" for member, why in new[:_NAMED])
        more = f"; and {len(new) - _NAMED} more" if len(new) > _NAMED else ""
        return f"{len(new)} of {len(inside)} nodes failed ({plan.max_failures} may): {named}{more}"
    return _storm(rollout, plan, inside)


def _runs(rollout: Rollout, inside: Sequence[Member]) -> bool:
    """Whether anybody who can be asked runs the target: a stage that nobody proves does not end well."""
    return any(m.connected_for is not None and m.running == rollout.target for m in inside)


def _pending(rollout: Rollout, plan: Plan, inside: Sequence[Member], now: float) -> bool:
    """Whether an answer is still to come: from a node just asked, or from one just gone that ran the target.

    A node that is away and never ran it is not waited for; it is handed its set when it comes.
    """
    excused = set(rollout.excused)
    return any(
        (member.connected_for is None) == (member.running == rollout.target)
        and not _failure(rollout, plan, member, now)
        for member in inside
        if member.node not in excused
    )


def _failures(
    rollout: Rollout, plan: Plan, inside: Sequence[Member], now: float
) -> tuple[tuple[Member, str], ...]:
    found = ((member, _failure(rollout, plan, member, now)) for member in inside)
    return tuple((member, why) for member, why in found if why)


def _failure(rollout: Rollout, plan: Plan, member: Member, now: float) -> str:
    """How the node failed; empty while it has not. A node that never had the set and is away has not."""
    if member.refused == rollout.target:
        return "refused it"
    if member.running == rollout.target:
        silent = member.connected_for is None and member.silent_for >= plan.silence
        return f"fell silent with it, {format_duration(member.silent_for)} ago" if silent else ""
    if member.connected_for is None:
        return ""
    unanswered = min(member.connected_for, now - rollout.since) >= plan.answer
    return f"did not answer within {format_duration(plan.answer)}" if unanswered else ""


def _storm(rollout: Rollout, plan: Plan, inside: Sequence[Member]) -> str:
    """Whether the set opens conditions as no fault would: many more a node than in as long a time before."""
    running = [m for m in inside if m.running == rollout.target and m.node not in set(rollout.excused)]
    opened, before = sum(m.opened for m in running), sum(m.opened_before for m in running)
    if not running or opened - before <= plan.max_new_conditions * len(running):
        return ""
    return (
        f"{opened} conditions opened on {len(running)} nodes since they run it, {before} in as long a time "
        f"before; {plan.max_new_conditions:g} more a node are allowed"
    )
