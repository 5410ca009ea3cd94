"""Application, Case, Track and Task, and the rules of the joint process."""
