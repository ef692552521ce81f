"""Sickbay: node-level health and self-healing for GPU clusters.

Kept empty on purpose: the NVML worker imports `sickbay.host` in a process that must stay small.
"""
