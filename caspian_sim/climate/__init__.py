"""What nobody in the basin controls: warming, the response of the fluxes to it, the seasons, and natural variability."""
