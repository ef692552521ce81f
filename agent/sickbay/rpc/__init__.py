"""The contract on the wire. The only package that imports the generated `sickbay.v1`."""

import os

# gRPC's core writes to standard error by itself, at its lowest level each time that a peer goes away. Ours to
# tell are the changes, once each; whoever debugs gRPC sets the variable, and it is theirs that counts.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
