"""The edges of one host: drivers, kernel files, services, clocks and disks, each behind a Protocol.

This package's top stays empty of imports: the NVML worker loads a single module of it into a process of
its own, which must stay small.
"""
