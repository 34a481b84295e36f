"""Annotate: folders of pictures made data sets. Interrupted, it goes on; repeated, it does nothing.

A plan says what is asked, a source which pictures there are, shards keep what was answered, and
executors carry the work out: here, in processes, on a cluster. What lies in the end is the same.
"""
