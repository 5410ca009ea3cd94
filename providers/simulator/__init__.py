"""The simulated world: five provider servers that speak the public protocol, and the people of the demo.

Nothing here imports the portal's own wings: the protocol is implemented a second time, so that a mistake in one
place does not hide itself in the other.
"""
