"""Uplinks of LoRaWAN devices by way of ChirpStack v4; a device family is configuration, not code."""
