"""Species counterpoint against a cantus firmus: what is given, its lattice, its judge."""
