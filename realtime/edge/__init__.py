"""The websocket edge: endpoint, session driver and outbox; and access control and metrics, which HTTP uses too."""
