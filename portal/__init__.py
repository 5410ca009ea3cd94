"""The joint utility portal (水电气暖网联合报装)."""
