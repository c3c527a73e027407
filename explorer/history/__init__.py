"""States of the page: links, undo and redo, kept states and their files."""
