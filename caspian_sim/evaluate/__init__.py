"""How well the model does: the closed balance of the record, the hindcast, and the literature beside it."""
