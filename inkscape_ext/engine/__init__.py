"""The engine as the extension meets it: the connection, jobs and their progress, what is sent and what comes back."""
