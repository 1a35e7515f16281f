"""PostgreSQL and Valkey for one machine, from wheels, reached through Unix sockets only.

Whoever uses the servers holds a shared lock on a file in the data directory. The first one starts
them, the last one out stops them. Nobody has to be alive for that to work: after a kill -9 the next
user finds what still runs and goes on with it. This is the only package that knows the wheels.
"""

from footprint.embedded.hold import Hold, stop_unused
from footprint.embedded.home import EmbeddedError, Home

__all__ = ["EmbeddedError", "Hold", "Home", "stop_unused"]
