"""Sensors that citizens give: registered, held for review, shown as theirs, taken back whenever they like."""
