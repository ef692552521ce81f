"""A small rule set in which every feature of the language is used by some rule."""

RULES = """
- id: brake
  on: clocks
  when: signal.hw_power_brake
  for: 60s
  boot_grace: 2m
  condition: {type: Brake, severity: warning, scope: gpu, family: power}
  clear: {when: "!signal.hw_power_brake", for: 40s}
  remedy: drain-and-reboot
  because: the cable
  runbook: brake
- id: bus
  on: xid
  when: signal.code == 79
  condition: {type: Bus, severity: fatal, scope: gpu, reason: "Xid{code}"}
  clear: {after: reboot}
  remedy: drain-and-reboot
  mode: act
  because: gone
- id: ecc
  on: xid
  when: signal.code == 94
  condition: {type: Ecc, severity: critical, scope: gpu, reason: "Xid{code}"}
  clear: {after: gpu_reset}
  because: memory
- id: fault
  on: xid
  when: signal.code == 31
  count: {at_least: 3, within: 1h, distinct: pid}
  condition: {type: Fault, severity: info, scope: gpu}
  clear: {quiet: 1h}
  because: the application
- id: burst
  on: xid
  when: signal.code == 92
  count: {at_least: 5, within: 1m}
  condition: {type: Burst, severity: info, scope: gpu}
  clear: {quiet: 1h}
  because: many
- id: pending-line
  on: xid
  when: signal.code == 63
  condition: {type: Pending, severity: warning, scope: gpu}
  clear: {when: "!signal.pending", on: row_remap}
  because: remap
- id: pending
  on: row_remap
  when: signal.pending
  condition: {type: Pending, severity: critical, scope: gpu}
  clear: {when: "!signal.pending", on: row_remap}
  because: remap
- id: hung
  on: gpu_unresponsive
  when: signal.unresponsive
  condition: {type: Hung, severity: warning, scope: gpu, reason: "{call}"}
  clear: {when: "!signal.unresponsive"}
  because: hangs
- id: blind
  on: monitor
  when: "!signal.healthy"
  condition: {type: Blind, severity: warning, scope: node, reason: "{name}"}
  clear: {when: signal.healthy}
  because: blind
- id: links
  on: nvlink
  when: signal.inactive > 0
  condition: {type: Links, severity: warning, scope: gpu}
  clear: {when: signal.inactive == 0}
  because: down
- id: hot
  on: temperature
  when: signal.gpu >= 90
  condition: {type: Hot, severity: warning, scope: gpu}
  clear: {when: signal.gpu < 80, for: 20s}
  because: heat
"""
