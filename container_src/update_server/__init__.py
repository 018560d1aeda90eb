"""Software updates from a shared file system, as files: ranges, validators, digests."""
