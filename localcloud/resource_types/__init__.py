"""Resource types that the local cloud adds to the emulator; see `localcloud.registry`. Runs inside the emulator."""
