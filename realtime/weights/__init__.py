"""Model weights: find, download, convert, verify and delete them."""
