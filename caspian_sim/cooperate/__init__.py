"""What the littoral states reach alone and together: coalitions, shares, targets and delay."""
