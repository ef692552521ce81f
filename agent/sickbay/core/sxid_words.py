"""The words of the SXid catalogue, apart from `sxids`: the generator checks a table before there is one."""

from enum import Enum


class SxidGrade(Enum):
    """How grave NVIDIA's Fabric Manager guide calls a code (appendices D.4 to D.6).

    POTENTIAL_FATAL codes are fatal to a part of the fabric or to none of it, and the line says which.
    """

    ALWAYS_FATAL = "always_fatal"
    POTENTIAL_FATAL = "potential_fatal"
    NON_FATAL = "non_fatal"
    UNKNOWN = "unknown"
