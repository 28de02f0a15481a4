"""How an operator sees the house: logs, request ids, health, metrics."""
