"""The daemon on each GPU host: wiring, loop and local API."""
