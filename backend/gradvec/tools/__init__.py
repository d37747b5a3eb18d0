"""Programs beside the pipeline: comparing, checking the installation, installing the extension."""
