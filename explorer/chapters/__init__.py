"""What the chapters of the course share: questions, and a table of layers."""
