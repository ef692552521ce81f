"""A worker without a driver, whose thread that waits for events has been stuck for a hundred seconds."""

import socket
import struct
import sys
from time import monotonic_ns

from sickbay.host.nvml import framing
from sickbay.host.nvml.catalogue import CALL_IDS
from sickbay.host.nvml.slot import EVENTS, NO_GPU, PLACES, SIZE, map_slots

if __name__ == "__main__":
    peer, memory = socket.socket(fileno=int(sys.argv[1])), map_slots(int(sys.argv[2]))
    peer.sendall(framing.encode({"kind": "started", "driver": "1", "nvml": "1", "count": 0}))
    long_ago = max(1, monotonic_ns() - 100 * 10**9)
    while (request := framing.receive(peer)) is not None and request["do"] == "sweep":
        if request["events"]:
            call = CALL_IDS["nvmlEventSetWait"]
            struct.pack_into("=IiQ", memory, EVENTS * SIZE // PLACES, call, NO_GPU, long_ago)
        answer = {"kind": "sweep", "id": request["id"], "count": 0, "gpus": [], "calls": {}}
        peer.sendall(framing.encode(answer))
