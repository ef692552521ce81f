"""Which rules this agent runs: its own files', or the set that a coordinator handed out; never half of one.

Every set is read and checked in a thread, kept on the disk, and only then put in force. One that cannot be
used changes nothing but what is said: the condition of the monitor `rules`, and the report to a coordinator.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sickbay.core.problems import Place, Problem, RefusedError
from sickbay.core.rule_bundles import RuleBundle, RuleSetOffer, RulesReport
from sickbay.host.blocking import in_thread
from sickbay.host.clock import Clock
from sickbay.host.rule_sets import LoadedSet, load_with_texts
from sickbay.host.rule_shelf import Kept, RuleShelf
from sickbay.node.config import AgentConfig
from sickbay.node.judge import Judge

_LOG = logging.getLogger(__name__)

_WITHIN = 60.0
"""Seconds for reading and checking a set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What an agent starts with. `kept` is set where that is a set from the shelf; `trouble`: why it is.

    `bundle` holds the texts of this host's own files, where it starts with those.
    """

    loaded: LoadedSet
    bundle: RuleBundle | None = None
    kept: Kept | None = None
    trouble: str = ""


def own_files(config: AgentConfig) -> tuple[LoadedSet, RuleBundle]:
    """The built-in rules with this host's own layers over them; RefusedError with all that is wrong."""
    return load_with_texts(*config.rule_paths, builtin=config.builtin_rules_path)


def beginning(config: AgentConfig, shelf: RuleShelf) -> Beginning:
    """What to start with: the coordinator's last good set, this host's files, or its files as they were.

    Raises:
        RefusedError: this host's files cannot be used, and no set that can be lies on the shelf.
    """
    kept, trouble = _on_shelf(shelf), ""
    if kept is not None and kept.offered and config.takes_rules:
        try:
            return Beginning(loaded=shelf.load(kept.digest), kept=kept)
        except (RefusedError, OSError) as error:
            trouble = (
                f"the set {kept.digest[:12]} of the coordinator, kept here, cannot be used: {said(error)}"
            )
            _LOG.error("%s; starting with this host's own files", trouble)
    try:
        loaded, bundle = own_files(config)
    except RefusedError as refused:
        if kept is None or kept.offered:
            raise
        _LOG.error("starting with the last good rules, as this host's files are refused: %s", refused)
        return Beginning(loaded=shelf.load(kept.digest), kept=kept, trouble=said(refused))
    return Beginning(loaded=loaded, bundle=bundle, trouble=trouble)


def said(error: Exception) -> str:
    """The first problem of a refusal, and how many more there are."""
    if not isinstance(error, RefusedError):
        return str(error)
    problems: tuple[Problem, ...] = error.problems
    more = len(problems) - 1
    return f"{problems[0]}{f' (and {more} more)' if more else ''}"


@dataclass(slots=True, kw_only=True)
class RuleIntake:
    """Changes the rules while the agent runs. `tell` passes a report to the coordinator, if there is one."""

    config: AgentConfig
    judge: Judge
    clock: Clock
    shelf: RuleShelf
    tell: Callable[[RulesReport], None]
    report: RulesReport = field(default_factory=RulesReport)
    _trouble: str = ""
    _latest: RuleSetOffer | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def begin(self, begun: Beginning) -> None:
        """Take up what the agent starts with."""
        kept = begun.kept
        self.report = RulesReport(takes=self.config.takes_rules, since=self.clock.now().wall)
        if kept is not None and kept.offered:
            self.report = replace(
                self.report, running=kept.digest, version=kept.version, since=kept.since or self.report.since
            )
        self._trouble = begun.trouble
        self._say()

    async def keep(self, begun: Beginning) -> None:
        """Keep the files that this agent started with, so that it can start when they are spoilt."""
        bundle = begun.bundle
        if bundle is None or begun.trouble:
            return
        try:
            async with self._turn:
                await in_thread(lambda: self._keep(bundle), deadline=_WITHIN, name="rules")
        except (RefusedError, OSError) as error:
            _LOG.warning(
                "the rules are not kept for bad times: %s", said(error) or "the disk does not answer"
            )

    async def reload(self) -> None:
        """Read this host's files anew. While a coordinator's set is in force they wait for their time."""
        async with self._turn:
            if self.report.running:
                _LOG.info("the coordinator's set %s stays in force", self.report.running[:12])
                return
            await self._take_own()

    async def offered(self, offer: RuleSetOffer) -> None:
        """Run what a coordinator hands out, or say why not."""
        self._latest = offer
        async with self._turn:
            if self._latest is not offer:
                return
            if not self.config.takes_rules:
                why = "this agent keeps to its own files (rules_from: local)"
                self._refuse(offer, RefusedError((_problem(offer, why),)))
            elif not offer.digest:
                await self._back_to_own()
            elif offer.digest != self.report.running:
                await self._take(offer)
            else:
                self._settle(replace(self.report, version=offer.version, refused="", problems=()))

    async def _take(self, offer: RuleSetOffer) -> None:
        since = self.clock.now().wall
        try:
            loaded = await in_thread(lambda: _tried(self.shelf, offer), deadline=_WITHIN, name="rules")
            await self._put_in_force(
                Kept(
                    digest=offer.digest,
                    version=offer.version,
                    offered=True,
                    since=since,
                    before=self.report.running,
                ),
            )
        except (RefusedError, OSError) as error:
            self._refuse(offer, error)
            return
        if self.config.rule_paths:
            named = ", ".join(str(path) for path in self.config.rule_paths)
            _LOG.warning("the coordinator's rules are in force; this host's own in %s are not", named)
        self._adopt(loaded)
        report = replace(self.report, running=offer.digest, version=offer.version, refused="", problems=())
        self._settle(replace(report, since=since))

    async def _back_to_own(self) -> None:
        since = self.clock.now().wall
        if self.report.running and await self._take_own():
            self._settle(replace(self.report, running="", version=0, since=since, refused="", problems=()))
        else:
            self.tell(self.report)

    async def _take_own(self) -> bool:
        """Adopt this host's files, and keep them; whether they could be used."""
        try:
            loaded = await in_thread(self._own, deadline=_WITHIN, name="rules")
        except RefusedError as refused:
            _LOG.error("the rules stay as they were: %s", refused)
            self._trouble = said(refused)
        except TimeoutError:
            self._trouble = f"the rules could not be read within {_WITHIN:g} s"
        except OSError as error:
            self._trouble = f"the rules cannot be kept in {self.config.shelf_path}: {error}"
        else:
            self._adopt(loaded)
            self._settle(self.report)
            return True
        self._say()
        return False

    def _own(self) -> LoadedSet:
        """This host's files; on the shelf they are written only when they are others than before."""
        loaded, bundle = own_files(self.config)
        self._keep(bundle)
        return loaded

    def _keep(self, bundle: RuleBundle) -> None:
        kept, digest = _on_shelf(self.shelf), bundle.digest
        if kept is None or kept.digest != digest or kept.offered:
            self.shelf.try_out(bundle)
            self.shelf.put_in_force(Kept(digest=digest, before="" if kept is None else kept.digest))

    async def _put_in_force(self, kept: Kept) -> None:
        await in_thread(lambda: self.shelf.put_in_force(kept), deadline=_WITHIN, name="rules")

    def _adopt(self, loaded: LoadedSet) -> None:
        if loaded.rules.digest != self.judge.rules.digest or loaded.platforms != self.judge.platforms:
            self.judge.adopt(loaded.rules, loaded.platforms)
        _LOG.info("%d rules, digest %s", len(loaded.rules.rules), loaded.rules.digest[:12])

    def _settle(self, report: RulesReport) -> None:
        self._trouble = ""
        self.report = report
        self._say()
        self.tell(self.report)

    def _refuse(self, offer: RuleSetOffer, error: Exception) -> None:
        """Go on with what there is; the coordinator and the condition say why."""
        problems = error.problems if isinstance(error, RefusedError) else (error,)
        why = str(error) or f"it could not be checked within {_WITHIN:g} s"
        _LOG.error("the coordinator's set %s is refused, the rules stay: %s", offer.digest[:12], why)
        named = tuple(str(problem) or why for problem in problems)
        self.report = replace(self.report, refused=offer.digest, problems=named)
        if self.config.takes_rules:
            self._trouble = f"set {offer.digest[:12]} of the coordinator is refused: {said(error) or why}"
            self._say()
        self.tell(self.report)

    def _say(self) -> None:
        self.report = replace(self.report, rules_digest=self.judge.rules.digest)
        self.judge.sight("rules", self._trouble)


def _on_shelf(shelf: RuleShelf) -> Kept | None:
    try:
        return shelf.current()
    except OSError as error:
        _LOG.error("which rules were in force cannot be read: %s", error)
        return None


def _tried(shelf: RuleShelf, offer: RuleSetOffer) -> LoadedSet:
    """The set, checked and kept. Texts and digest must belong together before anything is written."""
    if offer.bundle is None or offer.bundle.wrong:
        why = offer.unreadable or (offer.bundle.wrong if offer.bundle is not None else "it has no texts")
        raise RefusedError((_problem(offer, why),))
    if offer.bundle.digest != offer.digest:
        raise RefusedError((_problem(offer, f"texts of digest {offer.bundle.digest[:12]}"),))
    return shelf.try_out(offer.bundle)


def _problem(offer: RuleSetOffer, found: str) -> Problem:
    return Problem(place=Place(file=f"set {offer.digest[:12]}"), found=found, expected="a set for this agent")
