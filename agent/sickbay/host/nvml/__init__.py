"""NVML behind a process boundary: the worker that may hang, and the client that never does.

Only `worker` and the modules it names load pynvml, and only in a process of their own; `client` and what it
imports run in the agent and never do. This package's top stays empty of imports for the worker's sake.
"""
