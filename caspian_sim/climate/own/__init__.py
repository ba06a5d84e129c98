"""Series of a user's own in place of the model's climate."""
