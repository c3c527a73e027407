"""What the page shows: each view draws a record, holds no model and computes nothing."""
