"""The words of the Xid catalogue: every class and action that a row of it may carry.

They stand apart from `xids`, which needs the generated table, so that the generator can check a table
against them before there is one.
"""

from enum import Enum


class XidClass(Enum):
    """What kind of thing a code reports; rules/catalogue/README.md says what each means."""

    APPLICATION = "application"
    SECONDARY = "secondary"
    HARDWARE = "hardware"
    FABRIC = "fabric"
    INFORMATIONAL = "informational"
    UNUSED = "unused"
    UNKNOWN = "unknown"


class ImmediateAction(Enum):
    """The catalogue's immediate actions. NONE is its IGNORE; UNKNOWN means that it gives none."""

    NONE = "NONE"
    RESTART_APP = "RESTART_APP"
    RESTART_VM = "RESTART_VM"
    RESET_GPU = "RESET_GPU"
    RESTART_BM = "RESTART_BM"
    DRAIN_P2P = "DRAIN_P2P"
    DRAIN_AND_RESET = "DRAIN_AND_RESET"
    RECOVER_IMEX_DOMAIN = "RECOVER_IMEX_DOMAIN"
    CONTACT_SUPPORT = "CONTACT_SUPPORT"
    CHECK_MECHANICALS = "CHECK_MECHANICALS"
    CHECK_UVM = "CHECK_UVM"
    UPDATE_SWFW = "UPDATE_SWFW"
    XID_154 = "XID_154"
    XID_154_EVAL = "XID_154_EVAL"
    WORKFLOW_XID_45 = "WORKFLOW_XID_45"
    WORKFLOW_XID_48 = "WORKFLOW_XID_48"
    WORKFLOW_NVLINK_ERR = "WORKFLOW_NVLINK_ERR"
    WORKFLOW_NVLINK5_ERR = "WORKFLOW_NVLINK5_ERR"
    UNKNOWN = "UNKNOWN"


class InvestigatoryAction(Enum):
    """The catalogue's investigatory actions; UNKNOWN means that it gives none."""

    NONE = "NONE"
    SYMPATHETIC = "SYMPATHETIC"
    SYMPATHETIC_REPORT_SOLO = "SYMPATHETIC_REPORT_SOLO"
    FOLLOW_OTHER_XID = "FOLLOW_OTHER_XID"
    SOLO_RESTART_FM = "SOLO_RESTART_FM"
    CHECK_APP_CUDA = "CHECK_APP_CUDA"
    CHECK_NVLINK_FAILURE_FLOW = "CHECK_NVLINK_FAILURE_FLOW"
    CONTACT_SUPPORT = "CONTACT_SUPPORT"
    INVESTIGATE_HOST = "INVESTIGATE_HOST"
    INVESTIGATE_LINK_SI = "INVESTIGATE_LINK_SI"
    INVESTIGATE_LINK_SI_AND_CABLES = "INVESTIGATE_LINK_SI_AND_CABLES"
    INVESTIGATE_PEER_DEVICE = "INVESTIGATE_PEER_DEVICE"
    INVESTIGATE_SW = "INVESTIGATE_SW"
    INVESTIGATE_SW_USER = "INVESTIGATE_SW_USER"
    INVESTIGATE_SW_USER_LINK_SI = "INVESTIGATE_SW_USER_LINK_SI"
    REPORT_IF_DAILY = "REPORT_IF_DAILY"
    UPDATE_SWFW = "UPDATE_SWFW"
    WORKFLOW_XID_13 = "WORKFLOW_XID_13"
    WORKFLOW_XID_31 = "WORKFLOW_XID_31"
    WORKFLOW_XID_48 = "WORKFLOW_XID_48"
    WORKFLOW_XID_137 = "WORKFLOW_XID_137"
    WORKFLOW_NVLINK5_ERR = "WORKFLOW_NVLINK5_ERR"
    UNKNOWN = "UNKNOWN"


class LinkAdvice(Enum):
    """What NVIDIA's workflow for Xid 74 comes to for one register bit, from the least to the most.

    REPORT_IF_REPEATED is its "report when it is seen again on a link"; RESET_FABRIC takes the GPUs and the
    switches of the node together.
    """

    NONE = "NONE"
    FOLLOW_OTHER_END = "FOLLOW_OTHER_END"
    REPORT_IF_REPEATED = "REPORT_IF_REPEATED"
    FIELDDIAG_IF_REPEATED = "FIELDDIAG_IF_REPEATED"
    RUN_FIELDDIAG = "RUN_FIELDDIAG"
    RESEAT_AND_DIAGNOSE = "RESEAT_AND_DIAGNOSE"
    CONTACT_SUPPORT = "CONTACT_SUPPORT"
    RESET_FABRIC = "RESET_FABRIC"
    UNKNOWN = "UNKNOWN"
