"""API: REST and WebSocket for Home Assistant and other clients."""
