"""What each document says, as frozen values: one pydantic model a kind, unknown fields refused."""
