"""A libnvidia-ml.so.1 in C, as small as a driver can be, one of whose calls never comes back.

It covers what Python callables cannot: a real loader, and a stall inside a call that no SIGTERM ends, as a
process in uninterruptible sleep shows it.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

ADDRESSES = tuple(f"0000:{bus:02x}:00" for bus in (0x1B, 0x43, 0x52, 0x61, 0x9D, 0xC3, 0xD1, 0xDF))

SOURCE = r"""
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef void *device;
typedef struct {
  char legacy[16]; unsigned domain, bus, device, id, subsystem; char bus_id[32];
} pci_info;
typedef struct { unsigned version, sensor; int temperature; } temperature;

static const unsigned BUSES[] = {0x1b, 0x43, 0x52, 0x61, 0x9d, 0xc3, 0xd1, 0xdf};
static unsigned index_of(device d) { return (unsigned)((unsigned long)d - 1); }

/* What a call into a lost GPU does: neither the caller nor SIGTERM gets it back. */
static void stall(const char *call, unsigned gpu) {
  const char *where = getenv("STALL_CALL"), *which = getenv("STALL_GPU");
  if (!where || strcmp(where, call) || !which || (unsigned)atoi(which) != gpu) return;
  signal(SIGTERM, SIG_IGN);
  for (;;) pause();
}

int nvmlInitWithFlags(unsigned flags) { (void)flags; stall("nvmlInitWithFlags", 0); return 0; }
int nvmlSystemGetDriverVersion(char *out, unsigned n) { snprintf(out, n, "570.86.15"); return 0; }
int nvmlSystemGetNVMLVersion(char *out, unsigned n) { snprintf(out, n, "12.570.86.15"); return 0; }
int nvmlDeviceGetCount_v2(unsigned *out) { *out = 8; return 0; }

int nvmlDeviceGetHandleByIndex_v2(unsigned i, device *out) {
  if (i >= 8) return 2;
  stall("nvmlDeviceGetHandleByIndex", i);
  *out = (device)(unsigned long)(i + 1);
  return 0;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char *id, device *out) {
  unsigned domain, bus, dev, function;
  if (sscanf(id, "%x:%x:%x.%x", &domain, &bus, &dev, &function) != 4) return 2;
  for (unsigned i = 0; i < 8; i++)
    if (BUSES[i] == bus) { *out = (device)(unsigned long)(i + 1); return 0; }
  return 6;
}

int nvmlDeviceGetPciInfo_v3(device d, pci_info *out) {
  memset(out, 0, sizeof *out);
  out->bus = BUSES[index_of(d)];
  out->id = 0x233010DE;
  snprintf(out->bus_id, sizeof out->bus_id, "00000000:%02X:00.0", out->bus);
  return 0;
}

int nvmlDeviceGetUUID(device d, char *out, unsigned n) {
  snprintf(out, n, "GPU-%02x", BUSES[index_of(d)]);
  return 0;
}

/* Bytes that are no UTF-8: what a dying board's flash may hold. */
int nvmlDeviceGetSerial(device d, char *out, unsigned n) {
  (void)d;
  if (n > 2) { out[0] = (char)0xff; out[1] = (char)0xfe; out[2] = 0; }
  return 0;
}

int nvmlDeviceGetTemperatureV(device d, temperature *out) {
  stall("nvmlDeviceGetTemperatureV", index_of(d));
  out->temperature = 30 + (int)index_of(d);
  return 0;
}
"""


def build(folder: Path) -> Path:
    """Compile the library into `folder`, which is then what LD_LIBRARY_PATH needs to name."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (gcc or cc) to build a driver library with")
    source = folder / "nvml.c"
    source.write_text(SOURCE)
    library = folder / "libnvidia-ml.so.1"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-Wl,-soname,libnvidia-ml.so.1", "-o", library, source],
        check=True,
        capture_output=True,
        text=True,
    )
    return folder
