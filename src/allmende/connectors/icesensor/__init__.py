"""Air quality boxes of type IceSensor, by WebSocket."""
