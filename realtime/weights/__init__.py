"""Model weights on disk: find, download, convert, verify and delete them."""
