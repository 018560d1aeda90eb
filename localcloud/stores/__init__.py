"""Real stores behind the emulator's APIs: PostgreSQL servers for RDS, Redis servers for ElastiCache.

They run inside the emulator's own interpreter, as `localcloud.fixes` does; each server is a process with a keeper, so
that none outlives the emulator.
"""
