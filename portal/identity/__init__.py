"""People, organisations, memberships and sign-in."""
