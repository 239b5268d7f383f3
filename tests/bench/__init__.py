"""`make bench`: the figures the portal promises, as ratios against a bare Django view in the same run.

Bare is Django with an empty MIDDLEWARE and one view of 20 KB, under the same gunicorn. Eight clients, one request per
connection, median of five rounds in turn, so that a machine that slows down slows both.
"""
