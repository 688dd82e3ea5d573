"""Look-alikes: made people in the exact layout of a published data set, so that its reader can be tried without it.

One file a set, which offers `write`. Only what the readers read is written; nothing of the published sets is in it.
"""
