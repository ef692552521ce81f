"""The coordinator's own rules: read from its files at the start and on SIGHUP, swapped whole or not at all.

Remedies and the list of built-in rules that await a person are read through views, so that everybody who
decides sees the new ones from one moment on.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from sickbay.coordinator.config import CoordinatorConfig
from sickbay.coordinator.store import Batch, ConfirmedBuiltins, Store
from sickbay.core.builtin_trust import Awaiting, Trust, confirmed_by_person, judged
from sickbay.core.ids import RuleId
from sickbay.core.problems import Place, Problem, RefusedError
from sickbay.core.remedies import Remedy
from sickbay.core.rule_bundles import RuleBundle
from sickbay.host.blocking import in_thread
from sickbay.host.rule_files import LoadedRules, load_rules
from sickbay.host.rule_sets import LoadedSet, load_with_texts
from sickbay.host.rule_shelf import Kept, RuleShelf
from sickbay.rpc.convert_rules import too_large

_LOG = logging.getLogger(__name__)

_WITHIN = 60.0
"""Seconds for reading and checking the files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRules:
    """What our files say, or said when they were last good: `refused` then tells what is wrong with them now.

    `builtins` are the built-in rules alone, without the site's own over them.
    """

    loaded: LoadedSet
    bundle: RuleBundle
    builtins: LoadedRules
    refused: tuple[str, ...] = ()


def read_rules(config: CoordinatorConfig) -> ReadRules:
    """The files as they are; RefusedError with all that is wrong, also for a set that could not be sent."""
    loaded, bundle = load_with_texts(*config.rule_paths, builtin=config.builtin_rules_path)
    if why := too_large(bundle):
        place = Place(file=bundle.layers[-1].origin)
        raise RefusedError((Problem(place=place, found=why, expected="a smaller set"),))
    return ReadRules(loaded=loaded, bundle=bundle, builtins=load_rules(builtin=config.builtin_rules_path))


def read_or_kept(config: CoordinatorConfig, shelf: RuleShelf) -> ReadRules:
    """The same; where they are refused, the last good set that lies on the shelf.

    Raises:
        RefusedError: there is none either.
    """
    try:
        return read_rules(config)
    except RefusedError as refused:
        kept = shelf.current()
        if kept is None:
            raise
        _LOG.error("starting with the last good rules, as the files are refused: %s", refused)
        bundle = shelf.texts(kept.digest)
        return ReadRules(
            loaded=shelf.load(kept.digest),
            bundle=bundle,
            builtins=load_rules(builtin=shelf.builtin(kept.digest)),
            refused=tuple(str(problem) for problem in refused.problems),
        )


@dataclass(slots=True, kw_only=True)
class OwnRules:
    """What is in force here. `begin` is called once, `reload` as often as somebody asks."""

    config: CoordinatorConfig
    shelf: RuleShelf
    store: Store
    read: ReadRules
    trust: Trust = field(default_factory=lambda: Trust(confirmed={}))
    _remedies: dict[str, Remedy] = field(default_factory=dict)
    _awaiting: dict[RuleId, str] = field(default_factory=dict)

    @property
    def remedies(self) -> Mapping[str, Remedy]:
        """A view of the remedies in force."""
        return MappingProxyType(self._remedies)

    @property
    def awaiting(self) -> Mapping[RuleId, str]:
        """A view of the built-in rules that await a person, with the sentence that says so."""
        return MappingProxyType(self._awaiting)

    @property
    def refused(self) -> tuple[str, ...]:
        """What is wrong with the files as they are now; empty while they are what is in force."""
        return self.read.refused

    async def begin(self, confirmed: ConfirmedBuiltins | None) -> None:
        """Put in force what was read. `confirmed` is what the store holds; None: nothing ever ran here."""
        await self._put_in_force(self.read, None if confirmed is None else confirmed.fingerprints)

    async def reload(self) -> bool:
        """Take the files as they are now, or keep what is in force and say why; whether it took them.

        Raises:
            StoreError: when what they change cannot be kept; then nothing changed.
        """
        try:
            read = await in_thread(lambda: read_rules(self.config), deadline=_WITHIN, name="rules")
        except RefusedError as refused:
            _LOG.error("the rules stay as they were: %s", refused)
            self._refuse(tuple(str(problem) for problem in refused.problems))
            return False
        except (TimeoutError, OSError) as error:
            why = str(error) or f"they could not be read within {_WITHIN:g} s"
            _LOG.error("the rules stay as they were: %s", why)
            self._refuse((why,))
            return False
        await self._put_in_force(read, self.trust.confirmed)
        _LOG.info("%d rules, digest %s", len(read.loaded.rules.rules), read.loaded.rules.digest[:12])
        return True

    async def confirm(self, rules: tuple[RuleId, ...]) -> tuple[Awaiting, ...]:
        """Let these built-in rules act, or all that wait; returns those that were confirmed by it."""
        after = confirmed_by_person(self.trust, rules)
        confirmed = tuple(each for each in self.trust.awaiting if each not in after.awaiting)
        if confirmed:
            await self.store.commit(Batch(confirmed=ConfirmedBuiltins(fingerprints=after.confirmed)))
            self._trust(after)
        return confirmed

    async def _put_in_force(self, read: ReadRules, confirmed: Mapping[RuleId, str] | None) -> None:
        trust = judged(confirmed, read.builtins.rules.rules, read.builtins.remedies, read.loaded.rules.by_id)
        if self.config.trust_new_builtins:
            trust = confirmed_by_person(trust, ())
        if confirmed is None or dict(trust.confirmed) != dict(confirmed):
            await self.store.commit(Batch(confirmed=ConfirmedBuiltins(fingerprints=trust.confirmed)))
        self.read = read
        self._remedies.clear()
        self._remedies.update(read.loaded.remedies)
        self._trust(trust)
        if not read.refused:
            await self._keep(read.bundle)

    def _trust(self, trust: Trust) -> None:
        self.trust = trust
        self._awaiting.clear()
        self._awaiting.update({each.rule: str(each) for each in trust.awaiting})
        for each in trust.awaiting:
            _LOG.warning("%s", each)

    async def _keep(self, bundle: RuleBundle) -> None:
        """Keep the files for a start at which they are spoilt. A disk that cannot costs nothing else."""
        try:
            await in_thread(lambda: _kept(self.shelf, bundle), deadline=_WITHIN, name="rules")
        except (RefusedError, OSError) as error:
            _LOG.warning("the rules are not kept for bad times: %s", error)

    def _refuse(self, problems: tuple[str, ...]) -> None:
        self.read = ReadRules(
            loaded=self.read.loaded, bundle=self.read.bundle, builtins=self.read.builtins, refused=problems
        )


def shelf_of(config: CoordinatorConfig) -> RuleShelf:
    """Where the last good set is kept."""
    return RuleShelf(Path(config.state_dir) / "rules")


def _kept(shelf: RuleShelf, bundle: RuleBundle) -> None:
    kept, digest = shelf.current(), bundle.digest
    if kept is None or kept.digest != digest:
        shelf.try_out(bundle)
        shelf.put_in_force(Kept(digest=digest, before="" if kept is None else kept.digest))
