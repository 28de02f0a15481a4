"""Subscriptions: whoever wants is told what happens at a place, a gauge or a dataset, without an account."""
