"""Training: penalties, masks, retraining, weight sharing and recovery; no widgets, no session."""
