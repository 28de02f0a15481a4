"""Stories: pages of text and live charts, for the press office and for schools."""
