"""The city as data: who serves where, which stages and limits apply, what may be charged."""
