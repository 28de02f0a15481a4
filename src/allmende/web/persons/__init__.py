"""Requests of persons: what the house holds of them (GDPR, Art. 15 and 20), and its erasure (Art. 17)."""
