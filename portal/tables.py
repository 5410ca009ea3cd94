"""Every wing's mapped classes in one import, for creating and migrating the database."""

from portal.cases import tables as cases

__all__ = ["cases"]
