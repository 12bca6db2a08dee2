"""How German, French and Spanish are read aloud: one grammar, and a table for each language."""
