"""How well the model does: the closed balance of the record, and the hindcast."""
