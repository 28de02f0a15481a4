"""Traffic by area: what detectors see each second, and level of service, speed, queue and volume of areas."""
