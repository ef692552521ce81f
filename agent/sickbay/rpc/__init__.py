"""The contract on the wire. The only package that imports the generated `sickbay.v1`."""
