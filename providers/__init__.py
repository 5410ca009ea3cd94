"""Everything outside the portal, behind its ports."""
