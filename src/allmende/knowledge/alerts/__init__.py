"""When an alert is raised and when it is over: readings and a clock in, transitions out."""
