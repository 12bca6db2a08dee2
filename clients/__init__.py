"""Clients of the realtime protocol that stand alone: they share no code with the service they talk to.

`clients.aio` is the library; `clients.listen` and `clients.speak` are the programs behind `vivavoce listen` and
`vivavoce say`; `clients.replay` and `clients.microphone` are where their audio comes from.
"""
