"""The city's rules, as anybody reads them and a department changes them."""
