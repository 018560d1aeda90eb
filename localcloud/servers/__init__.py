"""The servers of the deployed stacks, as processes of this machine instead of containers and instances.

What is deployed says everything: task definition or launch template give the package, its environment, role, logs and
target groups. The same package that the image or the instance gets is started here, in an environment of its own that
holds exactly what its requirements pin.
"""
