"""Banks of questions for learning systems and flash cards: one neutral question, a writer a format."""
