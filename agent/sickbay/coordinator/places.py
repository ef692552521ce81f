"""Where nodes stand: from a map that the site keeps, else from what their agents say."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from sickbay.core.areas import DEFAULT_POOL, DOMAIN_KINDS, Place
from sickbay.core.ids import NodeName
from sickbay.core.problems import Place as FilePlace
from sickbay.core.problems import Problem, RefusedError
from sickbay.host.config_files import load_config
from sickbay.orchestrators.slurm_text import expand


class MappedPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the nodes of one line of the map stand.

    pool: the group that shares a budget; empty for what the agent says.
    rack: what shares power and cooling.
    nvlink: the NVLink domain.
    switch: the leaf switch.
    """

    pool: str = ""
    rack: str = ""
    nvlink: str = ""
    switch: str = ""


class PlaceMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file.

    nodes: by name or by a range of names such as `gpu-[001-018]`. A node may stand in several lines; what a
    later line says goes before what an earlier one said.
    """

    nodes: dict[str, MappedPlace] = {}


class Places:
    """Where each node stands. What nobody says is the default pool and a failure domain of its own."""

    def __init__(self, mapped: Mapping[NodeName, MappedPlace] | None = None) -> None:
        """`mapped` as a file says it; nothing for none."""
        self._mapped = mapped or {}

    def of(self, node: NodeName, told_pool: str = "") -> Place:
        """The place of a node whose agent says that it is of `told_pool`."""
        said = self._mapped.get(node, MappedPlace())
        names = ((kind, getattr(said, kind)) for kind in DOMAIN_KINDS)
        return Place(
            node=node,
            pool=said.pool or told_pool or DEFAULT_POOL,
            domains=tuple(f"{kind}:{name}" for kind, name in names if name),
        )


def load_places(path: Path) -> Places:
    """The map in a file.

    Raises:
        RefusedError: when it cannot be read or understood, with the place of the mistake.
    """
    mapped: dict[NodeName, MappedPlace] = {}
    for names, said in load_config(path, PlaceMap).nodes.items():
        for node in _expanded(path, names):
            mapped[node] = _laid_over(mapped.get(node), said)
    return Places(mapped)


def _expanded(path: Path, names: str) -> tuple[NodeName, ...]:
    try:
        return expand(names)
    except ValueError as error:
        place = FilePlace(file=str(path), line=1, column=1)
        expected = "a node's name, or a range of names such as gpu-[001-018]"
        raise RefusedError((Problem(place=place, found=repr(names), expected=expected),)) from error


def _laid_over(below: MappedPlace | None, above: MappedPlace) -> MappedPlace:
    if below is None:
        return above
    told = {key: value for key, value in msgspec.structs.asdict(above).items() if value}
    return msgspec.structs.replace(below, **told)
