"""How standards see the city. Request value in, response value out."""
