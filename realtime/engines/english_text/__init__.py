"""From written to spoken English, for engines that read some of it wrongly: abbreviations, numbers, addresses."""
