"""Exercises: made right, keyed right, graded right."""
