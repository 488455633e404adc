"""Pictures: what is drawn as records, and how it is drawn, in one style for commands and reports."""
