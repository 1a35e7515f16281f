"""When a decision counts, as SQL."""

from __future__ import annotations

# Of decisions `d`. By the clock: the state column may follow a little later.
IN_FORCE = "d.state = 'in force' AND (d.expires_at IS NULL OR d.expires_at > statement_timestamp())"
