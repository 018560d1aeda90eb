"""What every server of this folder is made of: settings, logs, limits, problem details, clients and an orderly end."""
