"""Function behind the image renditions: an uploaded picture in, one smaller picture out.

``rules`` is pure and may be used alone (``render``, ``render_many``); ``handler`` is the Lambda entry point.
"""
