"""Animals: on four legs, with wings or with fins, each time of other proportions."""
