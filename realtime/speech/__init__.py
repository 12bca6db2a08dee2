"""Pure policies over speech scores, words and text. No I/O."""
