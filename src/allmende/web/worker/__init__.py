"""The worker: asks sources for data, listens to a broker, publishes, tidies up. One at a time, by a lease."""
