"""Everything that touches a socket: the websocket endpoint, the session driver, access control and metrics."""
