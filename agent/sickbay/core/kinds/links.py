"""How a GPU is connected: PCIe, NVLink, the fabric of switches, and chip to chip."""

from collections.abc import Mapping
from types import MappingProxyType

from sickbay.core.signal_fields import Field, FieldType

_B, _F, _I, _T = FieldType.BOOL, FieldType.FLOAT, FieldType.INT, FieldType.TEXT

_NEW = "since the reading before"

KINDS: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {
        "pcie": MappingProxyType(
            {
                "generation": Field(_I, "PCIe generation of the link now"),
                "width": Field(_I, "lanes of the link now"),
                "max_generation": Field(_I, "the most that GPU and slot can do together"),
                "max_width": Field(_I, "the most lanes that GPU and slot can do together"),
                "gpu_max_generation": Field(_I, "the most that the GPU alone can do"),
                "expected_generation": Field(_I, "what is expected under load, by GPU, slot and profile"),
                "expected_width": Field(_I, "what is expected always, by GPU, slot and profile"),
                "loaded": Field(_B, "at work or in P0, so that the generation is not lowered to save power"),
                "replays": Field(_I, "replays since driver load"),
                "new_replays": Field(_I, f"replays {_NEW}"),
                "replays_per_minute": Field(_F, f"replays {_NEW}", "1/min"),
                "replay_limit": Field(_F, "replays that NVIDIA's DCGM tolerates on such a link", "1/min"),
                "new_rollovers": Field(_I, f"wraps of the replay counter {_NEW}"),
                "new_recoveries": Field(_I, f"times that the link left L0 to recover {_NEW}"),
                "correctable_per_minute": Field(_F, f"correctable errors {_NEW}", "1/min"),
                "new_correctable": Field(_I, f"correctable errors {_NEW}"),
                "new_non_fatal": Field(_I, f"non-fatal errors {_NEW}"),
                "new_fatal": Field(_I, f"fatal errors {_NEW}"),
                "new_unsupported_requests": Field(_I, f"unsupported requests {_NEW}"),
                "new_receiver_errors": Field(_I, f"receiver errors {_NEW}"),
                "new_bad_tlp": Field(_I, f"bad transaction packets {_NEW}"),
                "new_bad_dllp": Field(_I, f"bad link packets {_NEW}"),
                "new_naks_sent": Field(_I, f"NAKs sent {_NEW}"),
                "new_naks_received": Field(_I, f"NAKs received {_NEW}"),
                "new_lcrc": Field(_I, f"link checksum errors {_NEW}"),
                "new_lane_errors": Field(_I, f"lane errors {_NEW}"),
            },
        ),
        "pcie_aer": MappingProxyType(
            {
                "port": Field(_T, "the port above the GPU, whose errors are counted with the GPU's own"),
                "correctable": Field(_I, "correctable errors at both ends since boot"),
                "non_fatal": Field(_I, "non-fatal errors at both ends since boot"),
                "fatal": Field(_I, "fatal errors at both ends since boot"),
                "correctable_per_minute": Field(_F, f"correctable errors at both ends {_NEW}", "1/min"),
                "new_non_fatal": Field(_I, f"non-fatal errors at both ends {_NEW}"),
                "new_fatal": Field(_I, f"fatal errors at both ends {_NEW}"),
                "worst": Field(_T, f"the gravest error {_NEW}, in the kernel's word, or nothing"),
            },
        ),
        "nvlink": MappingProxyType(
            {
                "links": Field(_I, "links that the driver lists"),
                "active": Field(_I, "links up"),
                "inactive": Field(_I, "links down, those without traffic among them"),
                "first_inactive": Field(_I, "the lowest link that is down, -1 for none"),
                "without_traffic": Field(_I, "links that are up with their traffic disabled (state 3)"),
                "expected_links": Field(_I, "links that such a board has, by its profile"),
                "missing": Field(_I, "of the expected links, those that are not up"),
                "in_mig": Field(_B, "the GPU is known to be split (MIG), where links may be down by design"),
                "version": Field(_I, "NVLink version as NVML numbers it (6: 4.0, 7: 5.0)"),
                "expected_version": Field(_I, "by the profile, else the highest among GPUs of the same kind"),
                "slowest_link": Field(_I, "the active link with the lowest speed"),
                "slowest_speed": Field(_I, "its speed", "MB/s"),
                "expected_speed": Field(_I, "the highest speed among GPUs of the same kind here", "MB/s"),
            },
        ),
        "nvlink_errors": MappingProxyType(
            {
                "links": Field(_I, "links whose counters could be compared"),
                "links_with_errors": Field(_I, f"links that counted anything {_NEW}"),
                "worst_link": Field(_I, f"the link that counted most {_NEW}, -1 for none"),
                "new_errors": Field(_I, f"errors of all links {_NEW}"),
                "new_recoveries": Field(_I, f"recoveries of all links {_NEW}"),
                "new_failed_recoveries": Field(_I, f"failed recoveries of all links {_NEW}"),
                "worst_effective_ber": Field(_F, "the highest error rate after correction of any link"),
                "worst_symbol_ber": Field(_F, "the highest error rate before correction of any link"),
            },
        ),
        "nvlink_link": MappingProxyType(
            {
                "new_replays": Field(_I, f"NVLink up to 4: replays {_NEW}"),
                "new_crc": Field(_I, f"NVLink up to 4: checksum errors {_NEW}"),
                "crc_per_second": Field(_F, f"NVLink up to 4: checksum errors {_NEW}", "1/s"),
                "new_data_errors": Field(
                    _I,
                    "NVLink 5: malformed packets, overruns, receive, remote, general and integrity errors "
                    f"and discards {_NEW}",
                ),
                "new_recoveries": Field(_I, f"recoveries {_NEW} that brought the link back"),
                "new_failed_recoveries": Field(_I, f"NVLink 5: recoveries that failed {_NEW}"),
                "new_retries": Field(_I, f"replays and recoveries {_NEW}, as the generation counts them"),
                "new_errors": Field(_I, f"all of these together {_NEW}"),
                "effective_ber": Field(_F, "NVLink 5: bit error rate after correction"),
                "symbol_ber": Field(_F, "NVLink 5: symbol error rate before correction"),
            },
        ),
        "fabric": MappingProxyType(
            {
                "state": Field(_T, "not_started, in_progress, completed, or unknown_<number>"),
                "status": Field(_T, "NVML's word for how registration ended, SUCCESS or an error"),
                "clique": Field(_I, "the clique, whose members reach each other by NVLink"),
                "cluster": Field(_T, "the cluster's UUID"),
                "differs": Field(_B, "in another cluster or clique than most GPUs of this node"),
                "summary": Field(_T, "healthy, unhealthy, limited_capacity"),
                "degraded_bandwidth": Field(_B, "bandwidth is degraded"),
                "route_recovery": Field(_B, "routes are being recovered"),
                "route_unhealthy": Field(_B, "a route is unhealthy"),
                "access_timeout_recovery": Field(_B, "recovering from accesses that timed out"),
                "incorrect_config": Field(_T, "none, or what is wrong in the configuration"),
                "partition_assigned": Field(_B, "the GPU is in a partition"),
                "health_mask": Field(_I, "the mask as the driver gave it"),
            },
        ),
        "c2c": MappingProxyType(
            {
                "links": Field(_I, "chip-to-chip links that the driver lists"),
                "active": Field(_I, "links up"),
                "inactive": Field(_I, "links down"),
                "first_inactive": Field(_I, "the lowest link that is down, -1 for none"),
                "expected_links": Field(_I, "links that such a board has, by its profile"),
                "missing": Field(_I, "of the expected links, those that are not up"),
                "new_interrupts": Field(_I, f"error interrupts of all links {_NEW}"),
                "new_replays": Field(_I, f"replays of all links {_NEW}"),
                "new_replays_back_to_back": Field(_I, f"replays of replays of all links {_NEW}"),
                "worst_link": Field(_I, f"the link that counted most {_NEW}, -1 for none"),
            },
        ),
    },
)

EVENTS: frozenset[str] = frozenset()
"""Kinds that only ever say that something happened."""
