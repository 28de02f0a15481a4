"""Simulated free spaces, so that a city lives without a network. They say everywhere that they are simulated."""
