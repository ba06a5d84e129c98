"""What a level of the sea means on the coast and in the water."""
