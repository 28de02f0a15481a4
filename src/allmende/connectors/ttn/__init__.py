"""Uplinks of LoRaWAN devices by way of The Things Network v3; families as with ChirpStack."""
