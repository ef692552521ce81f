"""The SXid catalogue, typed: what each code of the NVSwitch driver is, and what its guide asks for.

Names and grades: NVIDIA's Fabric Manager user guide, appendices D.4 to D.6 (rules/catalogue/sxids.csv). The
guide gives no word of the Xid catalogue as an action; ours stand for its sentences. After an error that is
always fatal to the fabric the host is to be restarted, after another fatal one the GPUs and switches that it
concerns are to be reset, and one that is not fatal asks for nothing.
"""

from dataclasses import dataclass
from functools import lru_cache

from sickbay.core.sxid_table import ROWS
from sickbay.core.sxid_words import SxidGrade
from sickbay.core.xid_words import ImmediateAction, XidClass

_CORRECTED = "Single bit ECC errors"
"""The guide's one name for all codes that report what was corrected."""

_BY_CODE = {row[0]: row for row in ROWS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sxid:
    """One code of the NVSwitch driver."""

    code: int
    name: str
    grade: SxidGrade

    @property
    def klass(self) -> XidClass:
        """What kind of thing it reports: the fabric's fault, a correction, or nobody knows what."""
        if self.grade is SxidGrade.UNKNOWN:
            return XidClass.UNKNOWN
        return XidClass.INFORMATIONAL if self.name == _CORRECTED else XidClass.FABRIC

    def action_when(self, severity: str) -> ImmediateAction:
        """What is asked for when the driver calls the error `Fatal`, `Non-fatal`, `Correctable` or nothing.

        The guide's grade and the driver's word may differ; the graver counts. What neither says is UNKNOWN.
        """
        if self.grade is SxidGrade.ALWAYS_FATAL:
            return ImmediateAction.RESTART_BM
        if self.grade is SxidGrade.UNKNOWN:
            return ImmediateAction.UNKNOWN
        if severity == "Fatal":
            return ImmediateAction.RESET_GPU
        harmless = bool(severity) or self.grade is SxidGrade.NON_FATAL
        return ImmediateAction.NONE if harmless else ImmediateAction.UNKNOWN


@lru_cache(maxsize=128)
def lookup(code: int) -> Sxid:
    """What is known of a code. One that the guide does not list is a normal input, of grade UNKNOWN."""
    row = _BY_CODE.get(code)
    if row is None:
        return Sxid(code=code, name=f"SXid {code}", grade=SxidGrade.UNKNOWN)
    return Sxid(code=code, name=row[1], grade=SxidGrade(row[2]))


def codes() -> frozenset[int]:
    """Every code that the guide lists."""
    return frozenset(_BY_CODE)
