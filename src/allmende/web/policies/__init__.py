"""What one may do with data: an address for each licence and each dataset that is not open, for people and as ODRL."""
