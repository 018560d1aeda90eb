"""Checks events on their way through Data Firehose; what is wrong is put aside with its reason."""
