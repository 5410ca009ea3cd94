"""How a provider behaves: from a task document to the next report, by plain rules that give the same again."""
