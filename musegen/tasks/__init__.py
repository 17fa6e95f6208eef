"""The jobs, from request to score."""
