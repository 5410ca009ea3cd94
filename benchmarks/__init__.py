"""What we promise about speed, each figure beside its peer or physical limit, measured in the same run."""
