"""Look around in a result: scenario, programme, its intensity, band and threshold, in a notebook or on a page."""
