"""`python -m planet_geolocation` is the command `planet`."""

from ._command import main

main()
