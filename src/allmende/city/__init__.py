"""What people do: one Django app a service, all of one shape."""
