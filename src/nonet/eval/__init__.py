"""How well it works: suites of items with known answers, ways of answering them, grades, intervals, comparisons."""
