"""Vehicles of public transport by IBIS-IP (VDV 301): where they are, where to, how late. No crew, no passengers."""
