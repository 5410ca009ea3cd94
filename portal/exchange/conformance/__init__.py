"""What a provider's system promises, the stand-in portal it is tried against, the judge (all pure), and the tables."""
