"""What the record says: observations, the annual balance as a state-space model, and the state of today."""
