"""Remote: engines whose model runs elsewhere. None of them needs torch."""
