"""What states can do together: coalitions, shares, targets and trade-offs."""
