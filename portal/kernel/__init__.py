"""The ground every wing stands on: settings, clock, ids, money, errors, database, policy, audit."""
