"""Tariffs that a department enters in the browser: drafted, checked by a second person, in force on their day."""
