"""What nobody in the basin controls: warming, the response to it, the seasons and natural variability."""
