"""Where watchlists are pushed: one file per service. Nothing in here knows Django or the database."""
