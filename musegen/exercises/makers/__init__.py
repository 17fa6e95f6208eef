"""Makers: one small function a shape of exercise; what differs between kinds is in the catalogue."""
