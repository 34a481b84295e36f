"""Forms: the fields that every tab shares: task, words, options, buttons."""
