"""Takes releases from a bucket to the shared file system that servers hand them out from: whole, or not at all."""
