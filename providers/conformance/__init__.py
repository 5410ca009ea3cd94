"""The suite an outside provider must pass: `python -m providers.conformance --url … --secret …`."""
