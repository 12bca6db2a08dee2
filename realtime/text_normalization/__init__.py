"""Text normalization: from text as it is written to the words that a reader says, for every voice model."""
