"""How messages travel, whatever the utility: one module a way."""
