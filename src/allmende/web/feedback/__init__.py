"""What people tell those who run the house: a barrier on a page, or a fault."""
