"""What the littoral states control: the catalogue of measures, and what a programme of them does."""
