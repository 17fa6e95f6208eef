"""Lattice, reachability, exact optimum, beam: integers and floats, no theory and no model."""
