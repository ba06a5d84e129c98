"""What the littoral states reach alone and together: coalitions, fair shares of an effect and of a burden."""
