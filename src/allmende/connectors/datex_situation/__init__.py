"""Roadworks and other situations of DATEX II, versions 2 and 3."""
