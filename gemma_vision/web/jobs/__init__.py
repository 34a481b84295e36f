"""Jobs: a visitor's work followed from its own thread, and what the page shows of it meanwhile.

Knows no tab and no layout.
"""
