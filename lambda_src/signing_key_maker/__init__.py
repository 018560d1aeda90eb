"""Makes a key pair at deploy time: the private key goes into a secret, the public key back to CloudFormation."""
