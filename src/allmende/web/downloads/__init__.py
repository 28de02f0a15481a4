"""Files of data: what somebody orders, and what is made of all open data each night."""
