"""Parts of the page: each joins some controls or views to a session."""
