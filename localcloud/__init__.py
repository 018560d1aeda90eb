"""The local cloud: an emulator on loopback with TLS on and IAM enforced, to which unchanged templates are deployed.

Nothing outside this package imports it (tests may). What runs inside the emulator's own interpreter: `emulator`,
`internals`, `iam_log`, `registry`, `fixes` and `stores`; they import the standard library and the emulator only.
"""
