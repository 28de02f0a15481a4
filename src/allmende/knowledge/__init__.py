"""How knowledge is made from what is kept."""
