"""Dashboards: tiles that people compose in the browser, and those that the city's profile brings."""
