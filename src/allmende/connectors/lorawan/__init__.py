"""What connectors of LoRaWAN networks share: device families, values, positions, decoders of raw bytes."""
