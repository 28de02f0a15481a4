"""Where it is kept: engines behind :class:`allmende.domain.store.Store`. Takes connections, opens none."""
