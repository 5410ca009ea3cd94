"""The use cases, one file a step, one transaction each."""
