"""Tabs: each has `x.py`, its layout, and `x_run.py`, what it does. Nothing below imports a tab."""
