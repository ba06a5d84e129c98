"""Look around in a result: scenario, programme, its intensity and a threshold, in a notebook or on a page."""
