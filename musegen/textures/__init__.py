"""From the skeleton of one chord a slot to the surface that is played."""
