"""What a provider's system promises, the stand-in portal it can be tried against, and how it is judged. All pure."""
