"""WTForms: collect, show choices, map errors back onto fields."""
